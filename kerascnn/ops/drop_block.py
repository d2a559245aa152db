"""DropBlock: sets squares of neighboring activations to zero in training."""

from typing import Any

import keras
from keras import ops, random

from kerascnn.arguments import at_least_one
from kerascnn.ops.dropout import bernoulli, check_rate
from kerascnn.ops.shapes import image_shape, in_format, standardize_data_format


def check_drop_block2d(rate, block_size):
    """Checks `rate` and `block_size`."""
    check_rate(rate)
    at_least_one(block_size, "block_size")


def drop_block2d_shape(
    shape: Any, rate: float, block_size: int = 7, data_format: str | None = None
) -> tuple[Any, ...]:
    """Returns the output shape of `drop_block2d`, and checks its input."""
    check_drop_block2d(rate, block_size)
    image_shape(shape, standardize_data_format(data_format))
    return tuple(shape)


def drop_block2d(
    x: Any,
    rate: float,
    block_size: int = 7,
    seed: int | keras.random.SeedGenerator | None = None,
    data_format: str | None = None,
    training: bool = True,
) -> Any:
    """Sets square blocks of each feature map to zero in training.

    The corner of a block of `b` x `b` pixels is drawn, with probability `gamma`, at every position
    of every feature map of `H` x `W` pixels where the block fits,

        gamma = rate / b**2 * H * W / ((H - b + 1) * (W - b + 1))

    and `y = mask * x * size(mask) / sum(mask)`, where `mask` is 0 in the blocks and 1 elsewhere,
    over
    the whole batch. A block that is higher or wider than the map is cut to its height or width.

    Args:
        x: float tensor of shape `(batch, height, width, channels)`, or channels first.
        rate: float in [0, 1], the approximate fraction to drop; lower where blocks overlap.
        block_size: int, the size `b` of a block.
        seed: optional int or `keras.random.SeedGenerator`.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.
        training: bool; without it, `y = x`.

    Returns:
        tensor of the shape of `x`.

    Raises:
        ValueError: if `rate` or `block_size` is invalid, or the rank of `x` is not 4.

    Reference:
        [Ghiasi et al., 2018](https://arxiv.org/abs/1810.12890)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> x = keras.ops.ones((1, 8, 8, 1))
        >>> bool(keras.ops.all(kerascnn.ops.drop_block2d(x, 0.2, 3, training=False) == x))
        True
    """
    drop_block2d_shape(x.shape, rate, block_size, data_format)
    if rate == 0 or not training:
        return x
    data_format = standardize_data_format(data_format)
    x = ops.convert_to_tensor(x)
    dropped = _blocks(ops.shape(x), rate, block_size, data_format, seed)
    kept = 1.0 - ops.mean(dropped)
    # If everything is dropped, y is 0 instead of 0 / 0; the scale is also finite in float16.
    scale = ops.cast(1.0 / ops.maximum(kept, 1e-4), x.dtype)
    return ops.where(dropped > 0, ops.zeros((), x.dtype), x) * scale


def _blocks(shape, rate, block_size, data_format, seed):
    """Draws a float tensor that is 1 in the blocks and 0 elsewhere."""
    batch, height, width, channels = image_shape(shape, data_format)
    gamma, positions = rate, []
    for size in (height, width):
        if isinstance(size, int):
            positions.append(max(size - block_size + 1, 1))
        else:  # unknown in TensorFlow until the graph runs
            positions.append(ops.maximum(size - block_size + 1, 1))
        block = size - positions[-1] + 1
        gamma = gamma * (size / (block * positions[-1]))
    rows, columns = positions
    drawn = in_format(batch, rows, columns, channels, data_format)
    if isinstance(gamma, float):
        corners = bernoulli(drawn, gamma, seed)
    else:
        corners = random.uniform(drawn, seed=seed) < ops.cast(gamma, "float32")
    # A window that ends at a pixel contains the corners of all blocks that cover it.
    reach = (block_size - 1, block_size - 1)
    padded = ops.pad(
        ops.cast(corners, "float32"), in_format((0, 0), reach, reach, (0, 0), data_format)
    )
    blocks = ops.max_pool(padded, block_size, strides=1, padding="valid", data_format=data_format)
    if data_format == "channels_first":
        return blocks[:, :, :height, :width]
    return blocks[:, :height, :width]
