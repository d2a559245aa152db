"""Max pooling that returns the position of each maximum."""

import itertools
from typing import Any

from keras import ops

from kerascnn.arguments import one_of, pair
from kerascnn.geometry import Sizes, Window, sliding
from kerascnn.ops.empty_batch import takes_empty_batches
from kerascnn.ops.padding import convolved
from kerascnn.ops.shapes import image_shape, in_format, standardize_data_format
from kerascnn.ops.symbolic import symbolic


def max_pool_with_argmax2d_shape(
    shape: Any,
    pool_size: Sizes = 2,
    strides: Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> tuple[Any, ...]:
    """Returns the output shapes of `max_pool_with_argmax2d`, and checks its arguments."""
    pool_size = pair(pool_size, "pool_size")
    strides = pool_size if strides is None else pair(strides, "strides")
    one_of(padding, ("valid", "same"), "padding")
    data_format = standardize_data_format(data_format)
    batch, height, width, channels = image_shape(shape, data_format)
    spatial = [
        convolved(size, window, stride, 1, padding)
        for size, window, stride in zip((height, width), pool_size, strides, strict=True)
    ]
    if any(size is not None and size < 1 for size in spatial):
        raise ValueError(
            "The window must fit into the input when `padding` is 'valid'; "
            f"got pool_size={pool_size} on input shape {tuple(shape)}."
        )
    height, width = spatial
    pooled = in_format(batch, height, width, channels, data_format)
    return pooled, pooled


def max_pool_with_argmax2d_window(
    pool_size: Sizes = 2,
    strides: Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Window:
    """Returns the `Window` of `max_pool_with_argmax2d`."""
    return sliding(pool_size, pool_size if strides is None else strides)


@symbolic(
    max_pool_with_argmax2d_shape,
    output_dtype=lambda dtype: (dtype, "int32"),
    window=max_pool_with_argmax2d_window,
)
@takes_empty_batches
def max_pool_with_argmax2d(
    x: Any,
    pool_size: Sizes = 2,
    strides: Sizes | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> tuple[Any, Any]:
    """Returns the maximum of every window and its position.

    `y[h, w, c] = max over i, j of x[h * s + i, w * s + j, c]`, and `indices[h, w, c]` is
    `row * width + column` of the first pixel with this value, the same in both data formats
    (and in PyTorch).

    Args:
        x: float tensor of shape `(batch, height, width, channels)`, or channels first.
        pool_size: int or pair of ints.
        strides: int or pair of ints; by default `pool_size`.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.

    Returns:
        `(y, indices)`, both of shape `(batch, new_height, new_width, channels)`, or channels
        first; `indices` are int32.

    Raises:
        ValueError: if the window does not fit into the input.

    Reference:
        [Zeiler and Fergus, 2014](https://arxiv.org/abs/1311.2901)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> x = keras.ops.reshape(keras.ops.array([1.0, 2.0, 4.0, 3.0]), (1, 2, 2, 1))
        >>> y, indices = kerascnn.ops.max_pool_with_argmax2d(x)
        >>> float(y[0, 0, 0, 0]), int(indices[0, 0, 0, 0])
        (4.0, 2)
    """
    max_pool_with_argmax2d_shape(x.shape, pool_size, strides, padding, data_format)
    pool_size = pair(pool_size, "pool_size")
    strides = pool_size if strides is None else pair(strides, "strides")
    data_format = standardize_data_format(data_format)
    x = ops.convert_to_tensor(x)
    y = ops.max_pool(x, pool_size, strides, padding, data_format)
    _, height, width, _ = image_shape(ops.shape(x), data_format)
    rows = _windows(height, pool_size[0], strides[0], padding)
    columns = _windows(width, pool_size[1], strides[1], padding)
    positions = _positions(x, pool_size, strides, padding, (rows, columns), data_format)
    _, _, best = next(positions)
    offset = ops.zeros_like(best, dtype="int32")
    for i, j, pixels in positions:
        offset = ops.where(pixels > best, i * width + j, offset)
        best = ops.maximum(best, pixels)
    first = _first_pixels(rows, strides[0])[:, None] * width + _first_pixels(columns, strides[1])
    first = ops.expand_dims(first, -1 if data_format == "channels_last" else 0)
    return y, first + offset


def _windows(size, window, stride, padding):
    """Returns the number of windows along an axis, and the padding before the image."""
    if padding == "valid":
        return (size - window) // stride + 1, 0
    count = -(-size // stride)
    missing = (count - 1) * stride + window - size
    return count, (max if isinstance(size, int) else ops.maximum)(missing, 0) // 2


def _first_pixels(windows, stride):
    """Returns the first pixel of each window."""
    count, before = windows
    return ops.arange(count, dtype="int32") * stride - before


def _positions(x, pool_size, strides, padding, windows, data_format):
    """Yields the row and column of every position in a window, and its pixels in all windows.

    Strided slices are slow in TensorFlow. Instead, the image is split into phases: pixels that are
    whole strides apart. A position is a phase, shifted by whole strides.
    """
    x = ops.stop_gradient(x)
    axes = (1, 2) if data_format == "channels_last" else (2, 3)
    for axis, size, stride, (count, before) in zip(axes, pool_size, strides, windows, strict=True):
        x = _whole_strides(x, axis, size, stride, count, before, padding)
    phases = _phases(x, strides, data_format)
    for i, j in itertools.product(*map(range, pool_size)):
        pixels = phases[i % strides[0]][j % strides[1]]
        everything, spatial = slice(None), []
        for position, size, stride, (count, _) in zip(
            (i, j), pool_size, strides, windows, strict=True
        ):
            start = position // stride
            spatial.append(slice(start, start + count) if size > stride else everything)
        rows, columns = spatial
        yield i, j, pixels[in_format(everything, rows, columns, everything, data_format)]


def _whole_strides(x, axis, size, stride, count, before, padding):
    """Pads or crops an axis to the whole strides that the windows cover."""
    strides_per_window = -(-size // stride)
    length = (count - 1 + strides_per_window) * stride
    if isinstance(length, int) and (before, x.shape[axis]) == (0, length):
        return x
    # As much as a window can extend beyond the image, whatever its size.
    reach_out = size - 1 if padding == "same" else 0
    around = [(0, 0)] * len(x.shape)
    around[axis] = (reach_out, reach_out + -size % stride)
    x = ops.pad(x, around, constant_values=-float("inf"))
    start = reach_out - before
    return x[(slice(None),) * axis + (slice(start, start + length),)]


def _phases(x, strides, data_format):
    """Returns `phases[i][j]`: every stride-th row and column from row `i` and column `j` on."""
    rows, columns = strides
    if rows == columns == 1:
        return [[x]]
    batch, height, width, channels = image_shape(ops.shape(x), data_format)
    height, width = height // rows, width // columns
    if data_format == "channels_first":
        x = ops.reshape(x, (batch, channels, height, rows, width, columns))
        unstacked: Any = ops.unstack(x, rows, axis=3)
        return [ops.unstack(row, columns, axis=-1) for row in unstacked]
    x = ops.reshape(x, (batch, height, rows, width, columns * channels))
    split: Any = ops.unstack(x, rows, axis=2)
    return [ops.split(row, columns, axis=-1) for row in split]
