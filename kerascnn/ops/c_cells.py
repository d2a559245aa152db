"""C-cells of the later Neocognitron: pooling of S-cells over a small area."""

import math
from typing import Any

import numpy as np
from keras import ops

from kerascnn.arguments import one_of, pair
from kerascnn.geometry import Sizes
from kerascnn.ops.depthwise_conv import depthwise_conv2d, depthwise_conv2d_shape
from kerascnn.ops.precision import float_dtype, widened
from kerascnn.ops.s_cells import EPSILON
from kerascnn.ops.shapes import known_channels, standardize_data_format
from kerascnn.ops.symbolic import symbolic
from kerascnn.ops.weightings import check_sigma, gaussian


def c_cells_window(sigma, kernel_size=None):
    """Returns the window as a pair; by default it covers two standard deviations."""
    check_sigma(sigma)
    if kernel_size is None:
        kernel_size = 2 * math.ceil(2 * sigma) + 1
    return pair(kernel_size, "kernel_size")


def c_cells2d_shape(
    shape: Any,
    sigma: float = 1.0,
    strides: Sizes = 2,
    kernel_size: Sizes | None = None,
    padding: str = "same",
    data_format: str | None = None,
) -> tuple[Any, ...]:
    """Returns the output shape of `c_cells2d`, and checks its arguments."""
    one_of(padding, ("same", "valid"), "padding")
    kernel_shape = (*c_cells_window(sigma, kernel_size), known_channels(shape, data_format), 1)
    return depthwise_conv2d_shape(shape, kernel_shape, strides, padding, data_format)


@symbolic(c_cells2d_shape, output_dtype=float_dtype)
def c_cells2d(
    x: Any,
    sigma: float = 1.0,
    strides: Sizes = 2,
    kernel_size: Sizes | None = None,
    padding: str = "same",
    data_format: str | None = None,
) -> Any:
    """Pools every plane by its weighted root mean square.

    With a Gaussian `a` of width `sigma` over the window (with sum 1) and strides `s`, on the
    padded `x`,

        y[h, w, c] = sqrt(sum over i, j of a[i, j] * x[h * s + i, w * s + j, c]**2 + e) - sqrt(e)

    where `e = 1e-12` keeps the gradient finite if all inputs are 0.

    Args:
        x: float tensor of shape `(batch, height, width, channels)`, or channels first.
        sigma: float, the standard deviation of the Gaussian in pixels.
        strides: int or pair of ints.
        kernel_size: int or pair of ints, the window; by default `2 * ceil(2 * sigma) + 1`.
        padding: `"same"`, which adds zeros, or `"valid"`.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.

    Returns:
        float tensor of shape `(batch, new_height, new_width, channels)`, or channels first;
        computed in at least float32.

    Raises:
        ValueError: if `sigma` is not above 0, or the window does not fit.

    Reference:
        [Fukushima, 2011](https://doi.org/10.1016/j.neunet.2011.03.017): root mean square

    Example:
        >>> import keras
        >>> import kerascnn
        >>> y = kerascnn.ops.c_cells2d(keras.ops.ones((1, 9, 9, 1)), padding="valid")
        >>> tuple(y.shape), round(float(y[0, 0, 0, 0]), 4)
        ((1, 3, 3, 1), 1.0)
    """
    c_cells2d_shape(x.shape, sigma, strides, kernel_size, padding, data_format)
    data_format = standardize_data_format(data_format)
    dtype = float_dtype(x.dtype)
    x = widened(x)
    kernel = gaussian(c_cells_window(sigma, kernel_size), sigma)[:, :, np.newaxis, np.newaxis]
    kernel = np.tile(kernel, (1, 1, known_channels(x.shape, data_format), 1))
    y = depthwise_conv2d(ops.square(x), ops.cast(kernel, x.dtype), strides, padding, data_format)
    epsilon = ops.cast(EPSILON, x.dtype)
    return ops.cast(ops.sqrt(ops.relu(y) + epsilon) - ops.sqrt(epsilon), dtype)
