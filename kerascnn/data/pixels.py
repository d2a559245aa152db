"""Converts file pixels to model inputs, in training and in serving alike."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from kerascnn.arguments import UsageError
from kerascnn.backend.portable import is_plain
from kerascnn.data.resizing import resize_by_products

_LARGEST_FACTOR = 8
# Factors are multiples of 1 / this, so that sizes up to 65,535 pixels fit into 32 bits.
_PARTS = 2048


def luminance(rgb):
    """Returns the luminance of RGB (ITU-R 601) in integers, as Pillow computes it.

    Takes NumPy arrays and tensors of a type wider than 16 bits; keeps the channel axis.
    """
    red, green, blue = rgb[..., :1], rgb[..., 1:2], rgb[..., 2:3]
    return (19595 * red + 38470 * green + 7471 * blue + 32768) // 65536


def over_white(color, alpha):
    """Blends transparent pixels with a white background, in integers in [0, 255]."""
    return (color * alpha + 255 * (255 - alpha) + 127) // 255


def to_channels(images: Any, channels) -> Any:
    """Converts gray, RGB or RGBA images to the number of channels of a model.

    Args:
        images: uint8 tensor or array of shape `(..., height, width, c)` with `c` of 1, 3 or 4,
            which may be unknown until the graph runs.
        channels: 1 or 3.

    Returns:
        uint8 tensor, or array for an array, of shape `(..., height, width, channels)`; `images`
        itself if nothing needs to be changed.
    """
    cast: Any = np.ndarray.astype if isinstance(images, np.ndarray) else tf.cast
    repeat: Any = np.repeat if isinstance(images, np.ndarray) else tf.repeat

    def from_gray():
        return images if channels == 1 else repeat(images, 3, axis=-1)

    def from_rgb():
        if channels == 3:
            return images if images.shape[-1] == 3 else images[..., :3]
        return cast(luminance(cast(images[..., :3], "int32")), "uint8")

    def from_rgba():
        wide: Any = cast(images, "int32")
        color = over_white(wide[..., :3], wide[..., 3:])
        return cast(luminance(color) if channels == 1 else color, "uint8")

    convert = {1: from_gray, 3: from_rgb, 4: from_rgba}
    if images.shape[-1] is not None:
        return convert[images.shape[-1]]()
    count = tf.shape(images)[-1]
    known = tf.debugging.Assert(
        tf.reduce_any(tf.equal(count, list(convert))),
        ["Images must have 1, 3 or 4 channels; got", count],
    )
    with tf.control_dependencies([known]):
        count = tf.identity(count)
    result = tf.switch_case(
        tf.cast(count > 1, tf.int32) + tf.cast(count > 3, tf.int32), list(convert.values())
    )
    result.set_shape((*images.shape[:-1], channels))
    return result


def prepare(images: Any, image_size: Sequence[int]) -> Any:
    """Resizes images and scales their pixels for a model.

    Uses bilinear interpolation with antialiasing, and does not keep the aspect ratio.

    Args:
        images: uint8 tensor of shape `(..., height, width, channels)`, one image or a batch.
        image_size: pair `(height, width)`.

    Returns:
        float32 tensor of shape `(..., *image_size, channels)` in [0, 1].

    Example:
        >>> import numpy as np
        >>> import kerascnn
        >>> images = kerascnn.data.prepare(np.full((1, 4, 6, 3), 255, "uint8"), (2, 3))
        >>> tuple(images.shape), round(float(images[0, 0, 0, 0]), 4)
        ((1, 2, 3, 3), 1.0)
    """
    return scale(resize(images, image_size))


def resize(images, image_size):
    """Resizes images as `prepare` does; images that already have this size stay uint8."""
    if tuple(images.shape[-3:-1]) == tuple(image_size):
        return images
    return _resized(images, image_size)


def _resized(images, size):
    if is_plain():
        return resize_by_products(images, size)
    return tf.image.resize(images, size, antialias=True)


def scale(images):
    """Scales pixels as `prepare` does, from [0, 255] to [0, 1]."""
    return tf.cast(images, tf.float32) / 255.0


def rescale(images, factor):
    """Resizes images by a factor, with the same interpolation as `resize`.

    Args:
        images: uint8 tensor of shape `(..., height, width, channels)`.
        factor: float.

    Returns:
        tensor of shape `(..., round(height * factor), round(width * factor), channels)`, at least
        one pixel: float32 in [0, 255] or, with a factor of 1, `images`.
    """
    if factor == 1:
        return images
    known = scaled_size(images.shape[-3:-1], factor)
    shape = tf.shape(images)
    size = scaled_size((shape[-3], shape[-2]), factor)
    resized = _resized(images, size)
    resized.set_shape((*images.shape[:-3], *known, images.shape[-1]))
    return resized


def scaled_size(size, factor):
    """Returns height and width (ints, int tensors, or `None`) times a factor, at least one pixel.

    Raises:
        UsageError: if the factor is out of range.
    """
    if not 0 < factor <= _LARGEST_FACTOR:
        raise UsageError(
            f"`factor` must be a number in (0, {_LARGEST_FACTOR}]; got factor={factor}."
        )
    # In integers, so that a graph and Python round in the same way.
    factor = round(factor * _PARTS)

    def scaled(side):
        side = (side * factor * 2 + _PARTS) // (2 * _PARTS)
        return tf.maximum(side, 1) if tf.is_tensor(side) else max(side, 1)

    return tuple(None if side is None else scaled(side) for side in size)
