"""Pairs of low and high resolution, as `tf.data` pipelines for `fit`."""

import numpy as np
import tensorflow as tf

from kerascnn.arguments import at_least_one, one_of
from kerascnn.data import memory
from kerascnn.data.bicubic import reduced
from kerascnn.data.upscaling import to_upscale

# How much of patches is shuffled at a time, so that those of one picture do not stay together
_SHUFFLE_BYTES = 2**26


def patches(photos, factor, channels, patch_size, count, batch_size=16, seed=0):
    """Random square parts of the training pictures, in two resolutions.

    Pictures are reduced as a whole (`reduced`); a part of the small one and the same part of the
    large one are cut out at a random place and flipped and turned by quarters at random, other
    ones in every epoch, and the same ones again under the same `seed` (together with TensorFlow's
    global seed, if one is set). Every picture gives equally many.

    Args:
        photos: `Photos`.
        factor: int, how many times larger the high resolution is.
        channels: 1 for luminance, or 3.
        patch_size: int, the side of a part in low resolution.
        count: int, parts in an epoch; rounded up to the same number for each picture, and that to
            whole batches if it is more than one.
        batch_size: int.
        seed: int.

    Returns:
        `tf.data.Dataset` of pairs of float32 tensors `(batch, patch_size, patch_size, channels)`
        and `(batch, patch_size * factor, patch_size * factor, channels)`, values from 0 to 1.

    Raises:
        ValueError: if there are no training pictures, one is smaller than a part, or an argument
            is out of its range.

    Example:
        >>> import kerascnn
        >>> photos = kerascnn.data.find_photos("photos")
        >>> pipeline = kerascnn.data.patches(photos, 3, channels=1, patch_size=17, count=64)
        >>> low, high = next(iter(pipeline))
        >>> tuple(low.shape), tuple(high.shape), len(pipeline)
        ((16, 17, 17, 1), (16, 51, 51, 1), 4)
    """
    for name, number in {
        "factor": factor,
        "patch_size": patch_size,
        "count": count,
        "batch_size": batch_size,
    }.items():
        at_least_one(number, name)
    one_of(channels, (1, 3), "channels")
    pictures = _pictures(photos, "train")
    side = patch_size * factor
    for photo in pictures:
        if min(photo.size) < side:
            raise ValueError(
                f"{photo.name} must be at least as large as a patch, {side}x{side}; "
                f"got {photo.size[0]}x{photo.size[1]}."
            )
    each = -(-count // len(pictures))
    together = min(each, batch_size)
    times = -(-each // together)
    total = together * times * len(pictures)
    pairs = _pairs(pictures, factor, shuffle_seed=seed)
    # For each part, numbers that decide what is random in it
    keys = tf.data.Dataset.random(seed, rerandomize_each_iteration=True).batch(2)
    dataset = pairs.flat_map(lambda *pair: tf.data.Dataset.from_tensors(pair).repeat(times))
    dataset = tf.data.Dataset.zip(dataset, keys).map(
        lambda pair, key: _parts(*pair, key, factor, patch_size, together), tf.data.AUTOTUNE
    )
    dataset = dataset.unbatch()
    if len(pictures) > 1:
        buffer = min(total, max(1, _SHUFFLE_BYTES // (3 * side**2)))
        dataset = dataset.shuffle(buffer, seed=seed, reshuffle_each_iteration=True)
    dataset = dataset.batch(batch_size)
    dataset = dataset.map(
        lambda low, high: (to_upscale(low, channels), to_upscale(high, channels)), tf.data.AUTOTUNE
    )
    dataset = dataset.prefetch(tf.data.AUTOTUNE)
    return dataset.apply(tf.data.experimental.assert_cardinality(-(-total // batch_size)))


def whole_pictures(photos, split, factor, channels, largest=480):
    """Pictures of a split in two resolutions, one in a batch, in their order.

    Args:
        photos: `Photos`.
        split: `"train"`, `"validation"` or `"test"`.
        factor: int, how many times larger the high resolution is.
        channels: 1 for luminance, or 3.
        largest: int, of pictures that are higher or wider than this (in high resolution), the
            middle is taken, so that any fits into memory.

    Returns:
        `tf.data.Dataset` of pairs of float32 tensors `(1, height, width, channels)` and
        `(1, height * factor, width * factor, channels)`, values from 0 to 1.

    Raises:
        ValueError: if there are no pictures in the split, or an argument is out of its range.

    Example:
        >>> import kerascnn
        >>> photos = kerascnn.data.find_photos("photos")
        >>> pictures = kerascnn.data.whole_pictures(photos, "test", factor=3, channels=1)
        >>> low, high = next(iter(pictures))
        >>> tuple(low.shape), tuple(high.shape)
        ((1, 142, 160, 1), (1, 426, 480, 1))
    """
    one_of(channels, (1, 3), "channels")
    side = at_least_one(largest, "largest") // at_least_one(factor, "factor")

    def floats(low, high):
        return to_upscale(low[tf.newaxis], channels), to_upscale(high[tf.newaxis], channels)

    pairs = _pairs(_pictures(photos, split), factor, middle=max(1, side))
    return pairs.map(floats, tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def _pictures(photos, split):
    pictures = photos.pictures[split]
    if not pictures:
        raise ValueError(f"{photos.name} must have pictures in its {split} split; got none.")
    return pictures


def _pairs(pictures, factor, shuffle_seed=None, middle=None):
    """uint8 pairs of low and high resolution."""

    def read(index):
        low, high = reduced(pictures[index].read(), factor)
        if middle is not None:
            top, left = (max(0, size - middle) // 2 for size in low.shape[:2])
            low = low[top : top + middle, left : left + middle]
            top, left, side = factor * top, factor * left, factor * middle
            high = high[top : top + side, left : left + side]
        return np.ascontiguousarray(low), np.ascontiguousarray(high)

    def pair(index):
        low, high = tf.numpy_function(read, [index], (tf.uint8, tf.uint8), stateful=False)
        low.set_shape((None, None, 3))
        high.set_shape((None, None, 3))
        return low, high

    def shuffled(dataset):
        if shuffle_seed is None:
            return dataset
        return dataset.shuffle(len(pictures), seed=shuffle_seed, reshuffle_each_iteration=True)

    indices = tf.data.Dataset.range(len(pictures))
    if memory.fits(sum(4 * height * width for height, width in (p.size for p in pictures))):
        return shuffled(indices.map(pair, tf.data.AUTOTUNE).cache())
    return shuffled(indices).map(pair, tf.data.AUTOTUNE)


def _parts(low, high, key, factor, size, count):
    """Random parts of a pair, each in one of the eight ways to lay a square down."""
    numbers = tf.random.stateless_uniform([5, count], key, 0, 2**31 - 1, tf.int32)
    top = numbers[0] % (tf.shape(low)[0] - size + 1)
    left = numbers[1] % (tf.shape(low)[1] - size + 1)
    upside_down, mirrored, turned = tf.unstack(tf.equal(numbers[2:] % 2, 1))

    def laid(picture, factor):
        rows = factor * top[:, tf.newaxis] + _line(factor * size, upside_down)
        columns = factor * left[:, tf.newaxis] + _line(factor * size, mirrored)
        places = rows[:, :, tf.newaxis] * tf.shape(picture)[1] + columns[:, tf.newaxis]
        across = tf.transpose(places, (0, 2, 1))
        places = tf.where(turned[:, tf.newaxis, tf.newaxis], across, places)
        return tf.gather(tf.reshape(picture, (-1, 3)), places)

    return laid(low, 1), laid(high, factor)


def _line(size, flip):
    """Counts from 0 up to the size, or down where `flip` is true, for each of its values."""
    return tf.where(flip[:, tf.newaxis], tf.range(size)[::-1], tf.range(size))
