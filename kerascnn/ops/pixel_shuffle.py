"""Pixel shuffle: rearranges channels into blocks of pixels, and back."""

from typing import Any

from keras import ops

from kerascnn.arguments import one_of, pair
from kerascnn.geometry import Sizes, refining, sliding
from kerascnn.ops.shapes import divided, image_shape, in_format, standardize_data_format, times
from kerascnn.ops.symbolic import symbolic

MODES = ("DCR", "CRD")


def pixel_shuffle_shape(
    shape: Any, block_size: Sizes, mode: str = "DCR", data_format: str | None = None
) -> tuple[Any, ...]:
    """Returns the output shape of `pixel_shuffle`, and checks its arguments."""
    rows, columns = pair(block_size, "block_size")
    one_of(mode, MODES, "mode")
    data_format = standardize_data_format(data_format)
    batch, height, width, channels = image_shape(shape, data_format)
    if channels is None or channels % (rows * columns):
        raise ValueError(
            f"A block of {rows}x{columns} pixels must divide the number of input channels; "
            f"got block_size={block_size} with {channels} channels (input shape {tuple(shape)})."
        )
    return in_format(
        batch,
        times(height, rows),
        times(width, columns),
        channels // (rows * columns),
        data_format,
    )


def pixel_unshuffle_shape(
    shape: Any, block_size: Sizes, mode: str = "DCR", data_format: str | None = None
) -> tuple[Any, ...]:
    """Returns the output shape of `pixel_unshuffle`, and checks its arguments."""
    rows, columns = pair(block_size, "block_size")
    one_of(mode, MODES, "mode")
    data_format = standardize_data_format(data_format)
    batch, height, width, channels = image_shape(shape, data_format)
    if channels is None:
        raise ValueError(f"The number of input channels must be known; got shape {tuple(shape)}.")
    if (height or 0) % rows or (width or 0) % columns:
        raise ValueError(
            "`block_size` must divide the height and width of the input; "
            f"got block_size={block_size} with {height}x{width} pixels "
            f"(input shape {tuple(shape)})."
        )
    return in_format(
        batch,
        divided(height, rows),
        divided(width, columns),
        channels * rows * columns,
        data_format,
    )


def pixel_shuffle_window(block_size, mode="DCR", data_format=None):
    """Returns the `Window` of `pixel_shuffle`."""
    return refining(block_size)


def pixel_unshuffle_window(block_size, mode="DCR", data_format=None):
    """Returns the `Window` of `pixel_unshuffle`."""
    return sliding(block_size, strides=block_size)


# Position of each of the six axes (batch, height, block row i, width, block column j, channel) of
# the shuffled image in the input. The order is explicit, because the channels_first form of
# `keras.ops.depth_to_space` differs between backends.
_DEPTH_AXES = {
    ("channels_last", "DCR"): "bhwijc",
    ("channels_last", "CRD"): "bhwcij",
    ("channels_first", "DCR"): "bijchw",
    ("channels_first", "CRD"): "bcijhw",
}
_SPACE_AXES = {"channels_last": "bhiwjc", "channels_first": "bchiwj"}


def _rearrange(x, sizes, before, after, output_shape):
    split = ops.reshape(x, [sizes[axis] for axis in before])
    return ops.reshape(ops.transpose(split, [before.index(axis) for axis in after]), output_shape)


@symbolic(pixel_shuffle_shape, window=pixel_shuffle_window)
def pixel_shuffle(
    x: Any, block_size: Sizes, mode: str = "DCR", data_format: str | None = None
) -> Any:
    """Rearranges channels into blocks of pixels.

    `y[h * r + i, w * s + j, c]` is `x[h, w, (i * s + j) * C + c]` in mode `"DCR"` and
    `x[h, w, c * r * s + i * s + j]` in mode `"CRD"`.

    Args:
        x: tensor of shape `(batch, height, width, channels * r * s)`, or channels first.
        block_size: int, or pair of ints `(r, s)`.
        mode: `"DCR"` or `"CRD"`, the terms of ONNX's DepthToSpace.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.

    Returns:
        tensor of shape `(batch, height * r, width * s, channels)`, or channels first.

    Raises:
        ValueError: if `r * s` does not divide the channels.

    Reference:
        [Shi et al., 2016](https://arxiv.org/abs/1609.05158)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> y = kerascnn.ops.pixel_shuffle(keras.ops.zeros((1, 4, 4, 8)), block_size=2)
        >>> tuple(y.shape)
        (1, 8, 8, 2)
    """
    pixel_shuffle_shape(x.shape, block_size, mode, data_format)
    rows, columns = pair(block_size, "block_size")
    data_format = standardize_data_format(data_format)
    batch, height, width, channels = image_shape(ops.shape(x), data_format)
    channels = channels // (rows * columns)
    return _rearrange(
        x,
        {"b": batch, "h": height, "i": rows, "w": width, "j": columns, "c": channels},
        before=_DEPTH_AXES[data_format, mode],
        after=_SPACE_AXES[data_format],
        output_shape=in_format(batch, height * rows, width * columns, channels, data_format),
    )


@symbolic(pixel_unshuffle_shape, window=pixel_unshuffle_window)
def pixel_unshuffle(
    x: Any, block_size: Sizes, mode: str = "DCR", data_format: str | None = None
) -> Any:
    """Rearranges blocks of pixels into channels: the inverse of `pixel_shuffle`.

    `x[h * r + i, w * s + j, c]` becomes `y[h, w, (i * s + j) * C + c]` in mode `"DCR"` and
    `y[h, w, c * r * s + i * s + j]` in mode `"CRD"`.

    Args:
        x: tensor of shape `(batch, height * r, width * s, channels)`, or channels first.
        block_size: int, or pair of ints `(r, s)`.
        mode: `"DCR"` or `"CRD"`, the terms of ONNX's DepthToSpace.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.

    Returns:
        tensor of shape `(batch, height, width, channels * r * s)`, or channels first.

    Raises:
        ValueError: if `r` does not divide the height or `s` the width.

    Reference:
        [Shi et al., 2016](https://arxiv.org/abs/1609.05158)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> y = kerascnn.ops.pixel_unshuffle(keras.ops.zeros((1, 8, 8, 2)), block_size=2)
        >>> tuple(y.shape)
        (1, 4, 4, 8)
    """
    pixel_unshuffle_shape(x.shape, block_size, mode, data_format)
    rows, columns = pair(block_size, "block_size")
    data_format = standardize_data_format(data_format)
    batch, height, width, channels = image_shape(ops.shape(x), data_format)
    height, width = height // rows, width // columns
    return _rearrange(
        x,
        {"b": batch, "h": height, "i": rows, "w": width, "j": columns, "c": channels},
        before=_SPACE_AXES[data_format],
        after=_DEPTH_AXES[data_format, mode],
        output_shape=in_format(batch, height, width, channels * rows * columns, data_format),
    )
