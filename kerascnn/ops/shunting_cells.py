"""S-cells and C-cells of the Neocognitron of 1980, with shunting (divisive) inhibition."""

import math
from typing import Any

import numpy as np
from keras import ops

from kerascnn.arguments import pair
from kerascnn.geometry import Sizes
from kerascnn.ops.depthwise_conv import depthwise_conv2d
from kerascnn.ops.group_conv import group_conv2d
from kerascnn.ops.precision import float_dtype, widened
from kerascnn.ops.s_cells import EPSILON
from kerascnn.ops.shapes import image_shape, in_format, known_channels, standardize_data_format
from kerascnn.ops.symbolic import symbolic
from kerascnn.ops.weightings import check_decay, decaying


def standardize_output_size(output_size):
    """Returns a pair, or `None` for one cell for each pixel."""
    return None if output_size is None else pair(output_size, "output_size")


def check_shunting_s_cells(selectivity, decay, spacing):
    """Checks `selectivity`, `decay` and `spacing`."""
    _check_positive(selectivity, "selectivity")
    check_decay(decay)
    _check_positive(spacing, "spacing")


def check_shunting_c_cells(alpha, decay, spacing):
    """Checks `alpha`, `decay` and `spacing`."""
    _check_positive(alpha, "alpha")
    check_decay(decay)
    _check_positive(spacing, "spacing")


def _check_positive(value, name):
    if not 0 < value < math.inf:
        raise ValueError(f"`{name}` must be finite and above 0; got {name}={value}.")


def positions(size, count, spacing):
    """Returns the pixels at the centers of `count` cells along an axis, `spacing` apart.

    Cell `i` is at pixel `ceil((size - 1 - spacing * (count - 1)) / 2 + spacing * i - 0.5)`, or at
    the nearest existing pixel.
    """
    first = (size - 1 - spacing * (count - 1)) / 2 - 0.5
    return [min(max(math.ceil(first + spacing * i - 1e-4), 0), size - 1) for i in range(count)]


def _sampled(x, output_size, spacing, data_format):
    """Returns the pixels of planes at the positions of cells."""
    if output_size is None:
        return x
    axes = (2, 3) if data_format == "channels_first" else (1, 2)
    for axis, count in zip(axes, output_size, strict=True):
        size = ops.shape(x)[axis]
        if isinstance(size, int):
            index = np.array(positions(size, count, spacing), "int32")
        else:
            first = (ops.cast(size, "float32") - 1 - spacing * (count - 1)) / 2 - 0.5
            steps = np.arange(count, dtype="float32") * np.float32(spacing)
            index = ops.cast(ops.ceil(first + steps - 1e-4), "int32")
            index = ops.minimum(ops.maximum(index, 0), ops.cast(size, "int32") - 1)
        x = ops.take(x, index, axis=axis)
    return x


def _shape(shape, output_size, channels, data_format):
    data_format = standardize_data_format(data_format)
    batch, height, width, _ = image_shape(shape, data_format)
    height, width = standardize_output_size(output_size) or (height, width)
    return in_format(batch, height, width, channels, data_format)


def shunting_s_cells2d_shape(
    shape: Any,
    kernel_shape: Any,
    inhibition_shape: Any,
    selectivity: float = 4.0,
    decay: float = 0.9,
    output_size: Sizes | None = None,
    spacing: float = 1.0,
    data_format: str | None = None,
) -> tuple[Any, ...]:
    """Returns the output shape of `shunting_s_cells2d`, and checks its arguments."""
    check_shunting_s_cells(selectivity, decay, spacing)
    channels = known_channels(shape, data_format)
    if len(kernel_shape) != 4 or kernel_shape[2] != channels:
        raise ValueError(
            "`kernel` must have the shape (height, width, channels, filters); "
            f"got kernel shape {tuple(kernel_shape)} with {channels} channels "
            f"(input shape {tuple(shape)})."
        )
    if tuple(inhibition_shape) != (kernel_shape[3],):
        raise ValueError(
            f"`inhibition` must have one value per filter; got shape {tuple(inhibition_shape)} "
            f"with {kernel_shape[3]} filters."
        )
    return _shape(shape, output_size, kernel_shape[3], data_format)


@symbolic(shunting_s_cells2d_shape, tensors=3, output_dtype=float_dtype)
def shunting_s_cells2d(
    x: Any,
    kernel: Any,
    inhibition: Any,
    selectivity: float = 4.0,
    decay: float = 0.9,
    output_size: Sizes | None = None,
    spacing: float = 1.0,
    data_format: str | None = None,
) -> Any:
    """Divides excitation by inhibition, like the S-cells of 1980.

    With the window `x` of each cell, padded with zeros, `phi = max(., 0)`, `r = selectivity`,
    `a = kernel[..., k]`, `b = inhibition[k]`, and `c = decay**|nu|` at the distance `|nu|` from the
    center of the window, divided by its sum over all planes and pixels,

        v = sqrt(sum over i, j, p of c[i, j] * x[i, j, p]**2)
        y = r * phi((1 + sum over i, j, p of a[i, j, p] * x[i, j, p])
                    / (1 + 2 * r / (1 + r) * b * v) - 1)

    `1e-12` is added under the root. The paper does not specify the decay.

    Args:
        x: float tensor of shape `(batch, height, width, planes)`, or channels first.
        kernel: float tensor of shape `(kernel_height, kernel_width, planes, filters)`.
        inhibition: float tensor of shape `(filters,)`.
        selectivity: float above 0; with a larger value, patterns must match the learned pattern
            better.
        decay: float in (0, 1].
        output_size: int or pair of ints, the number of cells along each axis; by default one for
            each pixel.
        spacing: float, distance between cells in pixels; the cells are centered over the image.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.

    Returns:
        float tensor of shape `(batch, new_height, new_width, filters)`, or channels first; computed
        in at least float32.

    Raises:
        ValueError: if a number is out of range, or the shapes do not match.

    Reference:
        [Fukushima, 1980](https://doi.org/10.1007/BF00344251), equations 1 to 3

    Example:
        >>> import keras
        >>> import kerascnn
        >>> x, kernel = keras.ops.ones((1, 16, 16, 1)), keras.ops.ones((5, 5, 1, 24))
        >>> y = kerascnn.ops.shunting_s_cells2d(x, kernel, keras.ops.zeros(24))
        >>> tuple(y.shape), round(float(y[0, 8, 8, 0]), 3)  # 4 * (1 + 25 - 1)
        ((1, 16, 16, 24), 100.0)
    """
    shunting_s_cells2d_shape(
        x.shape, kernel.shape, inhibition.shape, selectivity, decay, output_size, spacing,
        data_format,
    )  # fmt: skip
    data_format = standardize_data_format(data_format)
    output_size = standardize_output_size(output_size)
    dtype = float_dtype(x.dtype)
    x = widened(x)
    kernel = ops.cast(kernel, x.dtype)
    weights = decaying(tuple(kernel.shape[:2]), decay)
    weights = weights / weights.sum() / kernel.shape[2]
    axis = 1 if data_format == "channels_first" else -1
    planes = ops.sum(ops.square(x), axis, keepdims=True)
    weights = ops.cast(weights[:, :, np.newaxis, np.newaxis], x.dtype)
    energy, excitation = (
        _sampled(
            group_conv2d(inputs, filters, 1, "same", data_format), output_size, spacing, data_format
        )
        for inputs, filters in ((planes, weights), (x, kernel))
    )
    v = ops.sqrt(ops.relu(energy) + EPSILON)
    b = ops.reshape(ops.cast(inhibition, x.dtype), (1, -1, 1, 1) if axis == 1 else (1, 1, 1, -1))
    shunted = (1 + excitation) / (1 + 2 * selectivity / (1 + selectivity) * b * v)
    return ops.cast(selectivity * ops.relu(shunted - 1), dtype)


def shunting_c_cells2d_shape(
    shape: Any,
    kernel_size: Sizes = 5,
    alpha: float = 0.5,
    decay: float = 0.8,
    output_size: Sizes | None = None,
    spacing: float = 1.0,
    data_format: str | None = None,
) -> tuple[Any, ...]:
    """Returns the output shape of `shunting_c_cells2d`, and checks its arguments."""
    pair(kernel_size, "kernel_size")
    check_shunting_c_cells(alpha, decay, spacing)
    channels = known_channels(shape, data_format)
    return _shape(shape, output_size, channels, data_format)


@symbolic(shunting_c_cells2d_shape, output_dtype=float_dtype)
def shunting_c_cells2d(
    x: Any,
    kernel_size: Sizes = 5,
    alpha: float = 0.5,
    decay: float = 0.8,
    output_size: Sizes | None = None,
    spacing: float = 1.0,
    data_format: str | None = None,
) -> Any:
    """Pools every plane, with inhibition by the mean of all planes, like the C-cells of 1980.

    With the window `x` of each cell, padded with zeros, `d = decay**|nu|` at the distance `|nu|`
    from the center of the window, and `psi(z) = phi(z) / (alpha + phi(z))` with
    `phi = max(., 0)`,

        e[k] = sum over i, j of d[i, j] * x[i, j, k]
        y[k] = psi((1 + e[k]) / (1 + mean over all planes of e) - 1)

    The paper does not specify `d`. With a sum of 1 instead of a peak of 1, the last cells hardly
    respond.

    Args:
        x: float tensor of shape `(batch, height, width, planes)`, or channels first.
        kernel_size: int or pair of ints, the window.
        alpha: float above 0, the input at half of the saturation.
        decay: float in (0, 1].
        output_size: int or pair of ints, the number of cells along each axis; by default one for
            each pixel.
        spacing: float, distance between cells in pixels; the cells are centered over the image.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.

    Returns:
        float tensor of shape `(batch, new_height, new_width, planes)`, or channels first, with
        values in [0, 1); computed in at least float32.

    Raises:
        ValueError: if a number is out of range.

    Reference:
        [Fukushima, 1980](https://doi.org/10.1007/BF00344251), equations 4 to 6

    Example:
        >>> import keras
        >>> import kerascnn
        >>> y = kerascnn.ops.shunting_c_cells2d(
        ...     keras.ops.ones((1, 16, 16, 24)), output_size=10, spacing=5 / 3
        ... )
        >>> tuple(y.shape), round(float(keras.ops.max(y)), 4)  # no plane is above the mean
        ((1, 10, 10, 24), 0.0)
    """
    shunting_c_cells2d_shape(x.shape, kernel_size, alpha, decay, output_size, spacing, data_format)
    data_format = standardize_data_format(data_format)
    output_size = standardize_output_size(output_size)
    dtype = float_dtype(x.dtype)
    x = widened(x)
    weights = decaying(kernel_size, decay)[:, :, np.newaxis, np.newaxis]
    kernel = np.tile(weights, (1, 1, known_channels(x.shape, data_format), 1))
    e = depthwise_conv2d(x, ops.cast(kernel, x.dtype), 1, "same", data_format)
    e = _sampled(e, output_size, spacing, data_format)
    mean = ops.mean(e, 1 if data_format == "channels_first" else -1, keepdims=True)
    z = ops.relu((1 + e) / (1 + mean) - 1)
    return ops.cast(z / (alpha + z), dtype)
