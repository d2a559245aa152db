"""Segmentation of images of any size."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from kerascnn.arguments import UsageError
from kerascnn.data.pixels import rescale, scale

# Images with at most as many pixels as a square of this size are processed in one piece.
TILE = 1024


def segment(
    model: keras.Model, image: np.ndarray, factor: float = 1.0, tile: int = TILE
) -> Iterator[np.ndarray]:
    """Segments an image; large images are split into tiles.

    Tiles overlap by a quarter of their size, and their probabilities are blended in the overlap.
    The result is the same as for the whole image wherever the receptive field lies inside a tile.
    (A model that uses the mean of the whole image, such as DeepLab, uses the mean of a tile.)

    Args:
        model: `keras.Model` from images of any size with values in [0, 1] to logits.
        image: uint8 array of shape `(height, width, channels)`, with the model's channels.
        factor: float, factor to resize images by before the model.
        tile: int, size of the tiles in pixels of the resized image, a multiple of 128.

    Returns:
        generator of bands of rows from top to bottom, float32 arrays of shape
        `(rows, width, classes)` with the class probabilities. Only the resized image and one band
        are in memory at a time.

    Raises:
        ValueError: if `tile` is not a multiple of 128, or `factor` is out of range.

    Example:
        >>> import numpy as np
        >>> import keras
        >>> import kerascnn
        >>> model = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(2, 1)])
        >>> image = np.zeros((30, 40, 3), "uint8")
        >>> [band.shape for band in kerascnn.inference.segment(model, image)]
        [(30, 40, 2)]
    """
    if tile < 128 or tile % 128:
        raise UsageError(f"`tile` must be a multiple of 128; got tile={tile}.")
    small = np.asarray(rescale(image, factor))
    bands = _bands(model, small, tile)
    if factor == 1:
        return bands
    return _enlarged(bands, small.shape[:2], image.shape[:2])


def _bands(model, image, tile):
    """Yields bands of rows with the probabilities, at the resolution of the model."""
    height, width = image.shape[:2]
    if height * width <= tile * tile:
        yield _probabilities(model, image)
        return
    overlap = tile // 4
    rows, columns = _starts(height, tile, overlap), _starts(width, tile, overlap)
    waiting: Any = None  # rows that overlap with the next band
    for i, top in enumerate(rows):
        band = _band(model, image[top : top + tile], columns, tile, overlap)
        if waiting is not None:
            shared = len(waiting)
            weight = _ramp(shared)[:, np.newaxis, np.newaxis]
            band[:shared] = (1 - weight) * waiting + weight * band[:shared]
        done = rows[i + 1] - top if i + 1 < len(rows) else len(band)
        yield band[:done]
        waiting = band[done:].copy()  # a copy, because a view would keep the whole band in memory


def _band(model, image, columns, tile, overlap):
    """Returns the probabilities of a band, one tile high."""
    width = image.shape[1]
    band: Any = None
    for left in columns:
        right = min(left + tile, width)
        found = _probabilities(model, image[:, left:right])
        if band is None:
            band = np.zeros((image.shape[0], width, found.shape[-1]), np.float32)
            band[:, :right] = found
            end = right
            continue
        shared = end - left
        weight = _ramp(shared)[:, np.newaxis]
        band[:, left:end] = (1 - weight) * band[:, left:end] + weight * found[:, :shared]
        band[:, end:right] = found[:, shared:]
        end = right
    return band


def _starts(size, tile, overlap):
    """Returns the starts of tiles: multiples of 32, so that pooling is aligned with the image."""
    step = tile - overlap
    return list(range(0, max(size - overlap, 1), step))


def _ramp(shared):
    """Returns the weights of the later of two tiles: 0, then rising, then 1.

    Near its border, a tile contains the least context of a pixel.
    """
    place = (np.arange(shared, dtype=np.float32) + 0.5) / shared
    return np.clip(2 * place - 0.5, 0, 1)


def _probabilities(model, image) -> Any:
    pixels = np.asarray(scale(image))[np.newaxis]
    logits = np.asarray(model.predict_on_batch(pixels)[0], np.float32)
    return keras.ops.convert_to_numpy(keras.ops.softmax(logits))


def _enlarged(bands, size, target):
    """Yields bands of a resized image, with bilinear interpolation as in `tf.image.resize`."""
    (height, width), (rows, columns) = size, target
    left, right, x = _neighbours(columns, width)
    above, below, y = _neighbours(rows, height)
    held, first, emitted = None, 0, 0  # rows of the small image from `first` on
    for band in bands:
        held = band if held is None else np.concatenate([held, band])
        last = first + len(held) - 1
        ready = int(np.searchsorted(below, last, side="right"))
        if ready == emitted:
            continue
        part = slice(emitted, ready)
        weight = y[part, np.newaxis, np.newaxis]
        tall = held[above[part] - first] * (1 - weight) + held[below[part] - first] * weight
        weight = x[:, np.newaxis]
        yield tall[:, left] * (1 - weight) + tall[:, right] * weight
        emitted = ready
        if emitted < rows:
            # If the image is downscaled, the next row may be beyond the rows in memory.
            behind = min(int(above[emitted]) - first, len(held))
            held, first = held[behind:], first + behind


def _neighbours(count, size):
    """Returns the two nearest of `size` pixels for each of `count` pixels, and the position."""
    place = (np.arange(count, dtype=np.float32) + 0.5) * np.float32(size / count) - 0.5
    place = np.clip(place, 0, size - 1)
    before = np.floor(place).astype(int)
    return before, np.minimum(before + 1, size - 1), place - before
