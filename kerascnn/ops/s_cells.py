"""S-cells of the later Neocognitron, which respond to patterns similar to their references."""

from typing import Any

import numpy as np
from keras import ops

from kerascnn.geometry import Sizes
from kerascnn.ops.group_conv import group_conv2d, group_conv2d_shape
from kerascnn.ops.padding import Padding, standardize_padding
from kerascnn.ops.precision import float_dtype, widened
from kerascnn.ops.shapes import known_channels, standardize_data_format
from kerascnn.ops.symbolic import symbolic
from kerascnn.ops.weightings import check_sigma, gaussian

# Added to squared lengths, to keep the gradient at a length of 0 finite.
EPSILON = 1e-12


def check_s_cells(threshold, power, sigma):
    """Checks `threshold`, `power` and `sigma`."""
    if not 0 <= threshold < 1:
        raise ValueError(f"`threshold` must be in [0, 1); got threshold={threshold}.")
    if not 0 <= power <= 1:
        raise ValueError(f"`power` must be in [0, 1]; got power={power}.")
    check_sigma(sigma)


def s_cells2d_shape(
    shape: Any,
    kernel_shape: Any,
    threshold: float = 0.5,
    power: float = 1.0,
    sigma: float = 1.0,
    strides: Sizes = 1,
    padding: Padding = "same",
    data_format: str | None = None,
) -> tuple[Any, ...]:
    """Returns the output shape of `s_cells2d`, and checks its arguments."""
    check_s_cells(threshold, power, sigma)
    standardize_padding(padding)
    channels = known_channels(shape, data_format)
    if len(kernel_shape) != 4 or kernel_shape[2] != channels:
        raise ValueError(
            "`kernel` must have the shape (height, width, channels, filters); "
            f"got kernel shape {tuple(kernel_shape)} with {channels} channels "
            f"(input shape {tuple(shape)})."
        )
    return group_conv2d_shape(shape, kernel_shape, strides, padding, data_format)


@symbolic(s_cells2d_shape, tensors=2, output_dtype=float_dtype)
def s_cells2d(
    x: Any,
    kernel: Any,
    threshold: float = 0.5,
    power: float = 1.0,
    sigma: float = 1.0,
    strides: Sizes = 1,
    padding: Padding = "same",
    data_format: str | None = None,
) -> Any:
    """Compares every window with references by the angle between them.

    With `<x, X> = sum over i, j, c of g[i, j] * x[i, j, c] * X[i, j, c]`, weighted by a Gaussian
    `g` of width `sigma` over the window (with sum 1), and `|x| = sqrt(<x, x>)`, for the window `x`
    at each position and each reference `X = kernel[..., k]`,

        s = <x, X> / (|x| * |X|)
        y = |x|**power * max(s - threshold, 0) / (1 - threshold)

    If the window or the reference is zero, the output is 0. `1e-12` is added to squared lengths.

    Args:
        x: float tensor of shape `(batch, height, width, channels)`, or channels first.
        kernel: float tensor of shape `(kernel_height, kernel_width, channels, filters)`, the
            references.
        threshold: float in [0, 1), the smallest cosine with a response.
        power: float in [0, 1]; with 1, the output grows with the strength of the input, as in 2011;
            with 0, it depends only on the cosine.
        sigma: float, the standard deviation of the weights in pixels.
        strides: int or pair of ints.
        padding: `"same"`, `"valid"`, or zeros around the image, as in `group_conv2d`.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.

    Returns:
        float tensor of shape `(batch, new_height, new_width, filters)`, or channels first; computed
        in at least float32.

    Raises:
        ValueError: if a number is out of range, or the kernel does not have the channels of `x`
            or does not fit.

    Reference:
        [Fukushima, 2011](https://doi.org/10.1016/j.neunet.2011.03.017): subtractive inhibition

    Example:
        >>> import keras
        >>> import kerascnn
        >>> edge = keras.ops.array([[1.0, 1.0, 0.0]])
        >>> x, kernel = keras.ops.reshape(edge, (1, 1, 3, 1)), keras.ops.reshape(edge, (1, 3, 1, 1))
        >>> y = kerascnn.ops.s_cells2d(x, kernel, threshold=0.9, power=0.0)
        >>> [round(float(value), 3) for value in keras.ops.ravel(y)]
        [0.0, 1.0, 0.0]
    """
    s_cells2d_shape(x.shape, kernel.shape, threshold, power, sigma, strides, padding, data_format)
    data_format = standardize_data_format(data_format)
    dtype = float_dtype(x.dtype)
    x = widened(x)
    kernel = ops.cast(kernel, x.dtype)
    weights = gaussian(tuple(kernel.shape[:2]), sigma)[:, :, np.newaxis, np.newaxis]
    weights = ops.cast(weights, x.dtype)
    lengths = ops.sum(weights * ops.square(kernel), (0, 1, 2), keepdims=True)
    kernel = weights * kernel / ops.sqrt(lengths + EPSILON)
    where = (strides, padding, data_format)
    axis = 1 if data_format == "channels_first" else -1
    energy = group_conv2d(ops.sum(ops.square(x), axis, keepdims=True), weights, *where)
    length = ops.sqrt(ops.relu(energy) + EPSILON)
    y = ops.relu(group_conv2d(x, kernel, *where) / length - threshold) / (1 - threshold)
    if power == 0.5:
        y = y * ops.sqrt(length)
    elif power:
        y = y * ops.power(length, power)
    return ops.cast(y, dtype)
