"""Contrast extraction: the off-center and on-center cells of the Neocognitron."""

from typing import Any

import numpy as np
from keras import ops

from kerascnn.arguments import pair
from kerascnn.geometry import Sizes
from kerascnn.ops.depthwise_conv import depthwise_conv2d, depthwise_conv2d_shape
from kerascnn.ops.padding import Padding, standardize_padding
from kerascnn.ops.precision import float_dtype, widened
from kerascnn.ops.shapes import image_shape, in_format, known_channels, standardize_data_format
from kerascnn.ops.symbolic import symbolic
from kerascnn.ops.weightings import check_sigma, gaussian


def contrast_kernel(kernel_size, center, surround):
    """Returns center minus surround weights, with sum 0; positive weights have the sum 1."""
    kernel = gaussian(kernel_size, center) - gaussian(kernel_size, surround)
    return kernel / np.maximum(kernel, 0).sum()


def check_contrast_extraction(kernel_size, center, surround, padding):
    """Checks the arguments; returns the window as a pair."""
    kernel_size = pair(kernel_size, "kernel_size")
    if not check_sigma(center, "center") < check_sigma(surround, "surround"):
        raise ValueError(
            f"`center` must be narrower than `surround`; got center={center} and "
            f"surround={surround}."
        )
    if kernel_size == (1, 1):
        raise ValueError(f"`kernel_size` must have more than one pixel; got {kernel_size}.")
    standardize_padding(padding)
    return kernel_size


def contrast_extraction2d_shape(
    shape: Any,
    kernel_size: Sizes = 7,
    center: float = 0.65,
    surround: float = 1.3,
    padding: Padding = "same",
    data_format: str | None = None,
) -> tuple[Any, ...]:
    """Returns the output shape of `contrast_extraction2d`, and checks its arguments."""
    kernel_size = check_contrast_extraction(kernel_size, center, surround, padding)
    channels = known_channels(shape, data_format)
    data_format = standardize_data_format(data_format)
    shape = depthwise_conv2d_shape(
        shape, (*kernel_size, channels, 1), padding=padding, data_format=data_format
    )
    batch, height, width, channels = image_shape(shape, data_format)
    return in_format(batch, height, width, 2 * channels, data_format)


@symbolic(contrast_extraction2d_shape, output_dtype=float_dtype)
def contrast_extraction2d(
    x: Any,
    kernel_size: Sizes = 7,
    center: float = 0.65,
    surround: float = 1.3,
    padding: Padding = "same",
    data_format: str | None = None,
) -> Any:
    """Extracts where pixels are darker and where they are brighter than their surround.

    With `a`, a Gaussian of width `center` minus one of width `surround`, scaled so that its
    positive weights have the sum 1 (all weights together have the sum 0), on the padded `x` of `C`
    channels,

        z[h, w, c] = sum over i, j of a[i, j] * x[h + i, w + j, c]
        y[h, w, c] = max(-z[h, w, c], 0),  y[h, w, C + c] = max(z[h, w, c], 0)

    Args:
        x: tensor of shape `(batch, height, width, channels)`, or channels first.
        kernel_size: int or pair of ints, the window.
        center: float, the standard deviation of the center in pixels.
        surround: float above `center`, the standard deviation of the surround.
        padding: `"same"`, `"valid"`, or zeros around the image, as in `group_conv2d`.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.

    Returns:
        float tensor of shape `(batch, height, width, 2 * channels)`, or channels first; computed in
        at least float32.

    Raises:
        ValueError: if `center` is not narrower than `surround`, or the window does not fit.

    Reference:
        [Fukushima, 2003](https://doi.org/10.1016/S0925-2312(02)00614-8), section 2

    Example:
        >>> import keras
        >>> import kerascnn
        >>> x = keras.ops.ones((1, 9, 9, 1))  # without contrast, except at the border
        >>> y = kerascnn.ops.contrast_extraction2d(x, padding="valid")
        >>> tuple(y.shape), bool(keras.ops.max(y) < 1e-6)
        ((1, 3, 3, 2), True)
    """
    contrast_extraction2d_shape(x.shape, kernel_size, center, surround, padding, data_format)
    data_format = standardize_data_format(data_format)
    dtype = float_dtype(x.dtype)
    kernel = contrast_kernel(kernel_size, center, surround)[:, :, np.newaxis, np.newaxis]
    kernel = np.tile(kernel, (1, 1, known_channels(x.shape, data_format), 1))
    x = widened(x)
    z = depthwise_conv2d(x, ops.cast(kernel, x.dtype), padding=padding, data_format=data_format)
    axis = 1 if data_format == "channels_first" else -1
    return ops.cast(ops.concatenate([ops.relu(-z), ops.relu(z)], axis), dtype)
