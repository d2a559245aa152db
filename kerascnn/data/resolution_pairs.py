"""Pairs of low and high resolution, as `tf.data` pipelines for `fit`."""

import numpy as np
import tensorflow as tf

from kerascnn.arguments import UsageError, at_least_one, one_of
from kerascnn.data import memory
from kerascnn.data.bicubic import downscale_bicubic
from kerascnn.data.upscaler_images import to_upscale

# How much of patches is shuffled at a time, so that those of one image do not stay together
_SHUFFLE_BYTES = 2**26
# The longest side of a whole image, in high resolution, so that any fits into memory
_LARGEST = 480


def random_patches(images, factor, channels, patch_size, count, batch_size, seed):
    """Returns batches of square patches of images, in two resolutions.

    Arguments as in `UpscalingData.pipeline`, with `count` for its `patches`.
    """
    for name, number in {
        "factor": factor,
        "patch_size": patch_size,
        "patches": count,
        "batch_size": batch_size,
    }.items():
        at_least_one(number, name)
    one_of(channels, (1, 3), "channels")
    side = patch_size * factor
    for image in images:
        if min(image.size) < side:
            raise UsageError(
                f"{image.name} must be at least as large as a patch, {side}x{side}; "
                f"got {image.size[0]}x{image.size[1]}."
            )
    each = -(-count // len(images))
    together = min(each, batch_size)
    times = -(-each // together)
    total = together * times * len(images)
    pairs = _pairs(images, factor, shuffle_seed=seed)
    # For each part, numbers that decide what is random in it
    keys = tf.data.Dataset.random(seed, rerandomize_each_iteration=True).batch(2)
    dataset = pairs.flat_map(lambda *pair: tf.data.Dataset.from_tensors(pair).repeat(times))
    dataset = tf.data.Dataset.zip(dataset, keys).map(
        lambda pair, key: _parts(*pair, key, factor, patch_size, together), tf.data.AUTOTUNE
    )
    dataset = dataset.unbatch()
    if len(images) > 1:
        buffer = min(total, max(1, _SHUFFLE_BYTES // (3 * side**2)))
        dataset = dataset.shuffle(buffer, seed=seed, reshuffle_each_iteration=True)
    dataset = dataset.batch(batch_size)
    dataset = dataset.map(
        lambda low, high: (to_upscale(low, channels), to_upscale(high, channels)), tf.data.AUTOTUNE
    )
    dataset = dataset.prefetch(tf.data.AUTOTUNE)
    return dataset.apply(tf.data.experimental.assert_cardinality(-(-total // batch_size)))


def whole_images(images, factor, channels):
    """Returns whole images in two resolutions, one in a batch, in their order."""
    one_of(channels, (1, 3), "channels")
    side = _LARGEST // at_least_one(factor, "factor")

    def floats(low, high):
        return to_upscale(low[tf.newaxis], channels), to_upscale(high[tf.newaxis], channels)

    pairs = _pairs(images, factor, middle=max(1, side))
    return pairs.map(floats, tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def _pairs(images, factor, shuffle_seed=None, middle=None):
    """Returns a dataset of uint8 pairs of low and high resolution."""

    def read(index):
        low, high = downscale_bicubic(images[index].read(), factor)
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
        return dataset.shuffle(len(images), seed=shuffle_seed, reshuffle_each_iteration=True)

    indices = tf.data.Dataset.range(len(images))
    if memory.fits(sum(4 * height * width for height, width in (image.size for image in images))):
        return shuffled(indices.map(pair, tf.data.AUTOTUNE).cache())
    return shuffled(indices).map(pair, tf.data.AUTOTUNE)


def _parts(low, high, key, factor, size, count):
    """Returns random parts of a pair, each in one of the eight orientations of a square."""
    numbers = tf.random.stateless_uniform([5, count], key, 0, 2**31 - 1, tf.int32)
    top = numbers[0] % (tf.shape(low)[0] - size + 1)
    left = numbers[1] % (tf.shape(low)[1] - size + 1)
    upside_down, mirrored, turned = tf.unstack(tf.equal(numbers[2:] % 2, 1))

    def laid(image, factor):
        rows = factor * top[:, tf.newaxis] + _line(factor * size, upside_down)
        columns = factor * left[:, tf.newaxis] + _line(factor * size, mirrored)
        places = rows[:, :, tf.newaxis] * tf.shape(image)[1] + columns[:, tf.newaxis]
        across = tf.transpose(places, (0, 2, 1))
        places = tf.where(turned[:, tf.newaxis, tf.newaxis], across, places)
        return tf.gather(tf.reshape(image, (-1, 3)), places)

    return laid(low, 1), laid(high, factor)


def _line(size, flip):
    """Counts from 0 up to the size, or down where `flip` is true, for each of its values."""
    return tf.where(flip[:, tf.newaxis], tf.range(size)[::-1], tf.range(size))
