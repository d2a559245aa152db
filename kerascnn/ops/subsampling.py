"""Trainable subsampling: the pooling of LeNet-5 (1998)."""

from typing import Any

from keras import ops

from kerascnn.arguments import one_of, pair
from kerascnn.geometry import Sizes
from kerascnn.ops.add_bias import add_bias
from kerascnn.ops.group_conv import group_conv2d
from kerascnn.ops.padding import convolved
from kerascnn.ops.precision import float_dtype
from kerascnn.ops.shapes import image_shape, in_format, known_channels, standardize_data_format
from kerascnn.ops.symbolic import symbolic


def subsampling2d_shape(
    shape: Any,
    kernel_shape: Any,
    bias_shape: Any,
    pool_size: Sizes = 2,
    strides: Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> tuple[Any, ...]:
    """Returns the output shape of `subsampling2d`, and checks its arguments."""
    pool_size = pair(pool_size, "pool_size")
    strides = pool_size if strides is None else pair(strides, "strides")
    one_of(padding, ("valid", "same"), "padding")
    data_format = standardize_data_format(data_format)
    batch, height, width, channels = image_shape(shape, data_format)
    known_channels(shape, data_format)
    for name, found in (("kernel", kernel_shape), ("bias", bias_shape)):
        if tuple(found) != (channels,):
            raise ValueError(
                f"`{name}` must have one value per channel; "
                f"got shape {tuple(found)} with {channels} channels (input shape {tuple(shape)})."
            )
    spatial = [
        convolved(size, pool, stride, 1, padding)
        for size, pool, stride in zip((height, width), pool_size, strides, strict=True)
    ]
    if any(size is not None and size < 1 for size in spatial):
        raise ValueError(
            "The window must fit into the input when `padding` is 'valid'; "
            f"got pool_size={pool_size} on input shape {tuple(shape)}."
        )
    height, width = spatial
    return in_format(batch, height, width, channels, data_format)


@symbolic(subsampling2d_shape, tensors=3, output_dtype=float_dtype)
def subsampling2d(
    x: Any,
    kernel: Any,
    bias: Any,
    pool_size: Sizes = 2,
    strides: Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """Sums the pixels of every window, then scales and shifts the sum of each channel.

    With strides `s`, on the padded `x`,

        y[h, w, c] = kernel[c] * (sum over i, j of x[h * s + i, w * s + j, c]) + bias[c]

    Args:
        x: float tensor of shape `(batch, height, width, channels)`, or channels first.
        kernel: float tensor of shape `(channels,)`.
        bias: float tensor of shape `(channels,)`.
        pool_size: int or pair of ints, the window.
        strides: int or pair of ints; by default `pool_size`.
        padding: `"valid"`, or `"same"`, which adds zeros as Keras's convolutions do.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.

    Returns:
        float tensor of shape `(batch, new_height, new_width, channels)`, or channels first.

    Raises:
        ValueError: if `kernel` or `bias` does not have one value per channel, or the window does
            not fit into the input.

    Reference:
        [LeCun et al., 1998](http://yann.lecun.com/exdb/publis/pdf/lecun-01a.pdf)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> x = keras.ops.ones((1, 4, 4, 1))
        >>> y = kerascnn.ops.subsampling2d(x, keras.ops.array([0.5]), keras.ops.array([1.0]))
        >>> tuple(y.shape), float(y[0, 0, 0, 0])
        ((1, 2, 2, 1), 3.0)
    """
    subsampling2d_shape(x.shape, kernel.shape, bias.shape, pool_size, strides, padding, data_format)
    pool_size = pair(pool_size, "pool_size")
    data_format = standardize_data_format(data_format)
    x = ops.cast(x, float_dtype(x.dtype))
    # A depthwise convolution whose kernel is constant within the window.
    kernel = ops.broadcast_to(ops.cast(kernel, x.dtype), (*pool_size, 1, kernel.shape[0]))
    strides = pool_size if strides is None else strides
    y = group_conv2d(x, kernel, strides, padding, data_format)
    return add_bias(y, bias, data_format)
