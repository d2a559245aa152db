"""Max unpooling: returns every value to its position before max pooling."""

from typing import Any

from keras import ops

from kerascnn.arguments import one_of, pair
from kerascnn.geometry import Sizes, Window, refining
from kerascnn.ops.shapes import image_shape, in_format, standardize_data_format, times
from kerascnn.ops.symbolic import symbolic


def max_unpool2d_shape(
    shape: Any,
    indices_shape: Any,
    like_shape: Any = None,
    pool_size: Sizes = 2,
    padding: str = "valid",
    data_format: str | None = None,
) -> tuple[Any, ...]:
    """Returns the output shape of `max_unpool2d`, and checks its arguments."""
    pool_size = pair(pool_size, "pool_size")
    one_of(padding, ("valid", "same"), "padding")
    data_format = standardize_data_format(data_format)
    batch, height, width, channels = image_shape(shape, data_format)
    if len(indices_shape) != 4 or any(
        None not in (size, other) and size != other
        for size, other in zip(shape, indices_shape, strict=True)
    ):
        raise ValueError(
            "`indices` must have the shape of the input; "
            f"got shape {tuple(indices_shape)} with input shape {tuple(shape)}."
        )
    height, width = times(height, pool_size[0]), times(width, pool_size[1])
    if like_shape is not None:
        whole = (height, width)
        height, width = image_shape(like_shape, data_format, "like")[1:3]
        sizes = zip((height, width), whole, pool_size, strict=True)
        if not all(_fits(*axis, padding) for axis in sizes):
            raise ValueError(
                "`like` must have the height and width before pooling; "
                f"got shape {tuple(like_shape)} with pool_size={pool_size} and "
                f"input shape {tuple(shape)}."
            )
    return in_format(batch, height, width, channels, data_format)


def _fits(size, whole, window, padding):
    """Returns whether pooling an axis of this size gives `whole / window` windows."""
    if size is None or whole is None:
        return True
    return 0 <= size - whole < window if padding == "valid" else 0 <= whole - size < window


def max_unpool2d_window(
    pool_size: Sizes = 2, padding: str = "valid", data_format: str | None = None
) -> Window:
    """Returns the `Window` of `max_unpool2d`."""
    return refining(pool_size)


@symbolic(max_unpool2d_shape, tensors=3, window=max_unpool2d_window)
def max_unpool2d(
    x: Any,
    indices: Any,
    like: Any = None,
    pool_size: Sizes = 2,
    padding: str = "valid",
    data_format: str | None = None,
) -> Any:
    """Returns every value to its position before `max_pool_with_argmax2d`; others are zero.

    `y[indices // width, indices % width] = x` for each image and channel. The windows do not
    overlap, so no two values have the same position.

    Args:
        x: float tensor of shape `(batch, height, width, channels)`, or channels first.
        indices: int tensor of the same shape, from `max_pool_with_argmax2d`.
        like: optional tensor with the height and width of the output; without it, the size before
            pooling is assumed to be a multiple of `pool_size`.
        pool_size: int or pair of ints, the window and the strides of the pooling.
        padding: `"valid"` or `"same"`, as in the pooling.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.

    Returns:
        float tensor of shape `(batch, height * pool_size, width * pool_size, channels)`, or with
        the height and width of `like`, or channels first.

    Raises:
        ValueError: if `indices` or `like` do not match `x`.

    Reference:
        [Badrinarayanan et al., 2017](https://arxiv.org/abs/1511.00561)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> x = keras.ops.reshape(keras.ops.array([1.0, 2.0, 4.0, 3.0]), (1, 2, 2, 1))
        >>> y = kerascnn.ops.max_unpool2d(*kerascnn.ops.max_pool_with_argmax2d(x))
        >>> keras.ops.convert_to_numpy(y)[0, :, :, 0].tolist()
        [[0.0, 0.0], [4.0, 0.0]]
    """
    like_shape = None if like is None else like.shape
    max_unpool2d_shape(x.shape, indices.shape, like_shape, pool_size, padding, data_format)
    rows, columns = pair(pool_size, "pool_size")
    data_format = standardize_data_format(data_format)
    x, indices = ops.convert_to_tensor(x), ops.cast(indices, "int32")
    batch, height, width, channels = image_shape(ops.shape(x), data_format)
    whole = (height * rows, width * columns)
    size = whole if like is None else image_shape(ops.shape(like), data_format)[1:3]
    before = [0, 0]
    if padding == "same":
        before = [(total - part) // 2 for total, part in zip(whole, size, strict=True)]

    # In its window, a value was `row * size[1] + column` pixels after the first pixel.
    first_rows, first_columns = (
        ops.arange(count, dtype="int32") * step - out
        for count, step, out in zip((height, width), (rows, columns), before, strict=True)
    )
    first = _flat(first_rows, first_columns, size[1])
    offset = indices - ops.expand_dims(first, -1 if data_format == "channels_last" else 0)
    position = _flat(ops.arange(rows, dtype="int32"), ops.arange(columns, dtype="int32"), size[1])
    # All axes except the last column axis are contiguous in memory, so four axes are enough.
    if data_format == "channels_last":
        blocks, window = (-1, 1, width, channels), (1, rows, 1, columns * channels)
        x, offset = (
            ops.tile(ops.reshape(tensor, blocks), (1, 1, 1, columns)) for tensor in (x, offset)
        )
        position = ops.repeat(position, channels, axis=-1)
    else:
        blocks, window = (-1, 1, width, 1), (1, rows, 1, columns)
        x, offset = (ops.reshape(tensor, blocks) for tensor in (x, offset))
    y = ops.where(offset == ops.reshape(position, window), x, ops.zeros((), x.dtype))
    y = ops.reshape(y, in_format(batch, *whole, channels, data_format))
    return y if like is None else _fitted(y, size, before, (rows, columns), padding, data_format)


def _flat(rows, columns, width):
    return ops.expand_dims(rows, 1) * width + columns


def _fitted(y, size, before, pool_size, padding, data_format):
    """Adds the pixels that "valid" pooling left out, or removes the padding of "same" pooling."""
    if padding == "valid":
        below, right = ((0, window - 1) for window in pool_size)
        around = in_format((0, 0), below, right, (0, 0), data_format)
        y = ops.pad(y, around)
    everything = slice(None)
    rows, columns = (slice(out, out + part) for out, part in zip(before, size, strict=True))
    return y[in_format(everything, rows, columns, everything, data_format)]
