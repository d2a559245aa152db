"""Pointwise convolution: mixes the channels of every pixel."""

from typing import Any

from kerascnn.geometry import Sizes
from kerascnn.ops.group_conv import group_conv2d, group_conv2d_shape
from kerascnn.ops.padding import Padding
from kerascnn.ops.symbolic import symbolic


def pointwise_conv2d_shape(
    shape: Any,
    kernel_shape: Any,
    strides: Sizes = 1,
    padding: Padding = "valid",
    data_format: str | None = None,
) -> tuple[Any, ...]:
    """Returns the output shape of `pointwise_conv2d`, and checks its arguments."""
    if tuple(kernel_shape[:2]) != (1, 1):
        raise ValueError(
            "`kernel` must have the shape (1, 1, channels / groups, filters); "
            f"got kernel shape {tuple(kernel_shape)}."
        )
    return group_conv2d_shape(shape, kernel_shape, strides, padding, data_format)


@symbolic(pointwise_conv2d_shape, tensors=2)
def pointwise_conv2d(
    x: Any,
    kernel: Any,
    strides: Sizes = 1,
    padding: Padding = "valid",
    data_format: str | None = None,
) -> Any:
    """Mixes the channels of every pixel: `y[h, w, o] = sum over c of x[h, w, c] * kernel[c, o]`.

    Args:
        x: float tensor of shape `(batch, height, width, channels)`, or channels first.
        kernel: float tensor of shape `(1, 1, channels / groups, filters)`.
        strides: int or pair of ints.
        padding: `"valid"`, `"same"` or zeros around the image, as in `group_conv2d`.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.

    Returns:
        float tensor of shape `(batch, new_height, new_width, filters)`, or channels first.

    Raises:
        ValueError: if the kernel is larger than one pixel, or the channels do not divide into
            groups.

    Reference:
        [Lin et al., 2014](https://arxiv.org/abs/1312.4400)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> x, kernel = keras.ops.ones((1, 5, 5, 8)), keras.ops.ones((1, 1, 8, 2))
        >>> float(kerascnn.ops.pointwise_conv2d(x, kernel)[0, 0, 0, 0])
        8.0
    """
    pointwise_conv2d_shape(x.shape, kernel.shape, strides, padding, data_format)
    return group_conv2d(x, kernel, strides, padding, data_format)
