"""Depthwise convolution: every channel is filtered separately."""

from typing import Any

from keras import ops

from kerascnn.geometry import Sizes
from kerascnn.ops.group_conv import group_conv2d, group_conv2d_shape
from kerascnn.ops.padding import Padding
from kerascnn.ops.shapes import known_channels
from kerascnn.ops.symbolic import symbolic


def depthwise_conv2d_shape(
    shape: Any,
    kernel_shape: Any,
    strides: Sizes = 1,
    padding: Padding = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> tuple[Any, ...]:
    """Returns the output shape of `depthwise_conv2d`, and checks its arguments."""
    channels = known_channels(shape, data_format)
    if len(kernel_shape) != 4 or kernel_shape[2] != channels:
        raise ValueError(
            "`kernel` must have the shape (height, width, channels, depth_multiplier); "
            f"got kernel shape {tuple(kernel_shape)} with {channels} channels "
            f"(input shape {tuple(shape)})."
        )
    return group_conv2d_shape(
        shape, _grouped(kernel_shape), strides, padding, data_format, dilation_rate
    )


def _grouped(kernel_shape):
    """Returns the shape of the same kernel with every channel as a group."""
    height, width, channels, depth_multiplier = kernel_shape
    return height, width, 1, channels * depth_multiplier


@symbolic(depthwise_conv2d_shape, tensors=2)
def depthwise_conv2d(
    x: Any,
    kernel: Any,
    strides: Sizes = 1,
    padding: Padding = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Any:
    """Filters every channel with its own `M` filters.

    With strides `s` and dilation rate `d`, on the padded `x`,

        y[h, w, c * M + m] = sum over i, j of
            x[h * s + i * d, w * s + j * d, c] * kernel[i, j, c, m]

    Args:
        x: float tensor of shape `(batch, height, width, channels)`, or channels first.
        kernel: float tensor of shape `(kernel_height, kernel_width, channels, M)`.
        strides: int or pair of ints.
        padding: `"valid"`, `"same"`, or zeros around the image: an int, a pair
            `(height, width)` or pairs `((top, bottom), (left, right))`.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.
        dilation_rate: int or pair of ints.

    Returns:
        float tensor of shape `(batch, new_height, new_width, channels * M)`, or channels first.

    Raises:
        ValueError: if the kernel does not match the channels, or does not fit into the input.

    Reference:
        [Howard et al., 2017](https://arxiv.org/abs/1704.04861)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> x, kernel = keras.ops.ones((1, 5, 5, 8)), keras.ops.ones((3, 3, 8, 2))
        >>> tuple(kerascnn.ops.depthwise_conv2d(x, kernel).shape)
        (1, 3, 3, 16)
    """
    depthwise_conv2d_shape(x.shape, kernel.shape, strides, padding, data_format, dilation_rate)
    kernel = ops.reshape(kernel, _grouped(kernel.shape))
    return group_conv2d(x, kernel, strides, padding, data_format, dilation_rate)
