"""Sub-pixel convolution: a convolution followed by a pixel shuffle."""

from typing import Any

from kerascnn.geometry import Sizes
from kerascnn.ops.add_bias import add_bias
from kerascnn.ops.group_conv import group_conv2d, group_conv2d_shape
from kerascnn.ops.padding import Padding
from kerascnn.ops.pixel_shuffle import pixel_shuffle, pixel_shuffle_shape
from kerascnn.ops.symbolic import symbolic


def subpixel_conv2d_shape(
    shape: Any,
    kernel_shape: Any,
    bias_shape: Any,
    block_size: Sizes,
    padding: Padding = "same",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
    mode: str = "DCR",
) -> tuple[Any, ...]:
    """Returns the output shape of `subpixel_conv2d`, and checks its arguments."""
    if bias_shape is not None and tuple(bias_shape) != tuple(kernel_shape[3:]):
        raise ValueError(
            "`bias` must have one value for each filter of `kernel`; "
            f"got bias shape {tuple(bias_shape)} with kernel shape {tuple(kernel_shape)}."
        )
    between = group_conv2d_shape(shape, kernel_shape, 1, padding, data_format, dilation_rate)
    return pixel_shuffle_shape(between, block_size, mode, data_format)


@symbolic(subpixel_conv2d_shape, tensors=3)
def subpixel_conv2d(
    x: Any,
    kernel: Any,
    bias: Any,
    block_size: Sizes,
    padding: Padding = "same",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
    mode: str = "DCR",
) -> Any:
    """Computes `pixel_shuffle(group_conv2d(x, kernel) + bias, block_size, mode)`.

    Args:
        x: float tensor of shape `(batch, height, width, channels)`, or channels first.
        kernel: float tensor of shape
            `(kernel_height, kernel_width, channels / groups, filters * r * s)`.
        bias: float tensor of shape `(filters * r * s,)`, or `None`.
        block_size: int, or pair of ints `(r, s)`.
        padding: as in `group_conv2d`.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.
        dilation_rate: int or pair of ints.
        mode: `"DCR"` or `"CRD"`, as in `pixel_shuffle`.

    Returns:
        float tensor of shape `(batch, height * r, width * s, filters)`, or channels first.

    Raises:
        ValueError: if the kernel does not match the input or the blocks.

    Reference:
        [Shi et al., 2016](https://arxiv.org/abs/1609.05158)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> x, kernel = keras.ops.ones((1, 5, 5, 8)), keras.ops.ones((3, 3, 8, 12))
        >>> tuple(kerascnn.ops.subpixel_conv2d(x, kernel, None, block_size=2).shape)
        (1, 10, 10, 3)
    """
    bias_shape = None if bias is None else bias.shape
    subpixel_conv2d_shape(
        x.shape, kernel.shape, bias_shape, block_size, padding, data_format, dilation_rate, mode
    )
    x = group_conv2d(x, kernel, 1, padding, data_format, dilation_rate)
    x = add_bias(x, bias, data_format)
    return pixel_shuffle(x, block_size, mode, data_format)
