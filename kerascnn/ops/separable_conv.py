"""Separable convolution: a depthwise convolution followed by a pointwise convolution."""

from typing import Any

from kerascnn.geometry import Sizes
from kerascnn.ops.depthwise_conv import depthwise_conv2d, depthwise_conv2d_shape
from kerascnn.ops.padding import Padding
from kerascnn.ops.pointwise_conv import pointwise_conv2d, pointwise_conv2d_shape
from kerascnn.ops.shapes import image_shape, standardize_data_format
from kerascnn.ops.symbolic import symbolic


def separable_conv2d_shape(
    shape: Any,
    depthwise_kernel_shape: Any,
    pointwise_kernel_shape: Any,
    strides: Sizes = 1,
    padding: Padding = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> tuple[Any, ...]:
    """Returns the output shape of `separable_conv2d`, and checks its arguments."""
    between = depthwise_conv2d_shape(
        shape, depthwise_kernel_shape, strides, padding, data_format, dilation_rate
    )
    channels = image_shape(between, standardize_data_format(data_format))[3]
    if tuple(pointwise_kernel_shape[:3]) != (1, 1, channels):
        raise ValueError(
            "`pointwise_kernel` must have the shape (1, 1, channels * depth_multiplier, filters); "
            f"got kernel shape {tuple(pointwise_kernel_shape)} after a depthwise kernel of shape "
            f"{tuple(depthwise_kernel_shape)}."
        )
    return pointwise_conv2d_shape(between, pointwise_kernel_shape, data_format=data_format)


@symbolic(separable_conv2d_shape, tensors=3)
def separable_conv2d(
    x: Any,
    depthwise_kernel: Any,
    pointwise_kernel: Any,
    strides: Sizes = 1,
    padding: Padding = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Any:
    """Filters every channel spatially, then mixes the channels of every pixel.

    `y = pointwise_conv2d(depthwise_conv2d(x, depthwise_kernel), pointwise_kernel)`

    Args:
        x: float tensor of shape `(batch, height, width, channels)`, or channels first.
        depthwise_kernel: float tensor of shape `(kernel_height, kernel_width, channels, M)`.
        pointwise_kernel: float tensor of shape `(1, 1, channels * M, filters)`.
        strides: int or pair of ints; for the depthwise part, like the arguments below.
        padding: `"valid"`, `"same"`, or zeros around the image: an int, a pair
            `(height, width)` or pairs `((top, bottom), (left, right))`.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.
        dilation_rate: int or pair of ints.

    Returns:
        float tensor of shape `(batch, new_height, new_width, filters)`, or channels first.

    Raises:
        ValueError: if the kernels do not match the input or each other.

    Reference:
        [Chollet, 2017](https://arxiv.org/abs/1610.02357)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> depthwise, pointwise = keras.ops.ones((3, 3, 8, 2)), keras.ops.ones((1, 1, 16, 4))
        >>> x = keras.ops.ones((1, 5, 5, 8))
        >>> tuple(kerascnn.ops.separable_conv2d(x, depthwise, pointwise).shape)
        (1, 3, 3, 4)
    """
    separable_conv2d_shape(
        x.shape,
        depthwise_kernel.shape,
        pointwise_kernel.shape,
        strides,
        padding,
        data_format,
        dilation_rate,
    )
    x = depthwise_conv2d(x, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return pointwise_conv2d(x, pointwise_kernel, data_format=data_format)
