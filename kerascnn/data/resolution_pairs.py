"""Pairs of low- and high-resolution images, as `tf.data` pipelines for `fit`."""

import numpy as np
import tensorflow as tf

from kerascnn.arguments import UsageError, at_least_one, one_of
from kerascnn.data import flat, memory, order
from kerascnn.data.bicubic import downscale_bicubic
from kerascnn.data.prefetching import prefetched
from kerascnn.data.upscaler_images import to_upscale

# Size of the shuffle buffer, so that patches of one image do not stay together
_SHUFFLE_BYTES = 2**26
# The longest side of a whole high-resolution image, so that every image fits into memory
_LARGEST = 480


def random_patches(images, factor, channels, patch_size, count, batch_size, seed):
    """Returns batches of square patches in two resolutions.

    Arguments are as in `UpscalingData.pipeline`; `count` is its `patches`.
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
    steps = -(-total // batch_size)

    def finish(patches):
        batches = patches.batch(batch_size)
        return batches.map(
            lambda low, high: (to_upscale(low, channels), to_upscale(high, channels)),
            tf.data.AUTOTUNE,
        )

    def gathered(epoch, start, table):
        """Patches of images in memory; every step gathers its own patches."""
        draws = _draws(order.epoch_key(seed, epoch, 1), (total,))
        places = order.permutation(order.epoch_key(seed, epoch), total)

        def batch(step):
            chosen = places[step * batch_size : (step + 1) * batch_size]
            low, high = _patches(
                table, chosen % len(images), tf.gather(draws, chosen, axis=1), factor, patch_size
            )
            return to_upscale(low, channels), to_upscale(high, channels)

        return tf.data.Dataset.range(start, steps).map(batch, tf.data.AUTOTUNE)

    def streamed(epoch, start):
        """Patches of one image after the other; skipped batches are read too."""
        key = order.epoch_key(seed, epoch)
        indices = order.permutation(key, len(images))
        keys = order.keys(order.epoch_key(seed, epoch, 1), len(images) * times)

        def parts(number, pair):
            draws = _draws(keys[number], (together,))
            table = flat.table_of(pair)
            return _patches(table, tf.zeros(together, tf.int64), draws, factor, patch_size)

        pairs = _pairs(images, factor, tf.data.Dataset.from_tensor_slices(indices))
        pairs = pairs.flat_map(lambda *pair: tf.data.Dataset.from_tensors(pair).repeat(times))
        patches = pairs.enumerate().map(parts, tf.data.AUTOTUNE).unbatch()
        buffer = min(total, max(1, _SHUFFLE_BYTES // (3 * side**2)))
        return finish(order.shuffled(patches, buffer, key).skip(start * batch_size))

    if memory.fits(sum(4 * height * width for height, width in (image.size for image in images))):
        pairs = _pairs(images, factor, tf.data.Dataset.range(len(images)))
        return order.batches_by_epoch(gathered, steps, flat.in_memory(pairs, len(images)))
    return order.batches_by_epoch(streamed, steps)


def whole_images(images, factor, channels):
    """Returns whole images in two resolutions, in order, with a batch size of 1."""
    one_of(channels, (1, 3), "channels")
    side = _LARGEST // at_least_one(factor, "factor")

    def floats(low, high):
        return to_upscale(low[tf.newaxis], channels), to_upscale(high[tf.newaxis], channels)

    pairs = _pairs(images, factor, tf.data.Dataset.range(len(images)), middle=max(1, side))
    if memory.fits(sum(4 * height * width for height, width in (image.size for image in images))):
        pairs = pairs.cache()
    return prefetched(pairs.map(floats, tf.data.AUTOTUNE))


def _pairs(images, factor, indices, middle=None):
    """Maps a dataset of indices to pairs of low- and high-resolution uint8 images."""

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

    return indices.map(pair, tf.data.AUTOTUNE)


def _draws(key, shape):
    """Returns five random numbers for each patch: its position and orientation."""
    return tf.random.stateless_uniform([5, *shape], key, 0, 2**31 - 1, tf.int32, alg="philox")


def _patches(table, chosen, draws, factor, size):
    """Returns random patches of pairs, each in one of the eight orientations of a square.

    Args:
        table: pairs in memory, as `flat.in_memory` stores them.
        chosen: int64 tensor of shape `(patches,)`, the pair that each patch comes from.
        draws: int32 tensor of shape `(5, patches)`.
        factor: int.
        size: int, the height and width of a patch in low resolution.
    """
    draws = tf.cast(draws, tf.int64)
    (_, _, shapes), _ = table
    sides = tf.gather(shapes, chosen)
    top = draws[0] % (sides[:, 0] - size + 1)
    left = draws[1] % (sides[:, 1] - size + 1)
    upside_down, mirrored, turned = tf.unstack(tf.equal(draws[2:] % 2, 1))

    def laid(part, factor):
        pixels, starts, shapes = part
        rows = factor * top[:, tf.newaxis] + _line(factor * size, upside_down)
        columns = factor * left[:, tf.newaxis] + _line(factor * size, mirrored)
        width = tf.gather(shapes, chosen)[:, 1, tf.newaxis, tf.newaxis]
        places = rows[:, :, tf.newaxis] * width + columns[:, tf.newaxis]
        across = tf.transpose(places, (0, 2, 1))
        places = tf.where(turned[:, tf.newaxis, tf.newaxis], across, places)
        first = tf.gather(starts, chosen) // 3
        return tf.gather(tf.reshape(pixels, (-1, 3)), first[:, tf.newaxis, tf.newaxis] + places)

    return laid(table[0], 1), laid(table[1], factor)


def _line(size, flip):
    """Returns indices from 0 up to the size, reversed where `flip` is true."""
    numbers = tf.range(size, dtype=tf.int64)
    return tf.where(flip[:, tf.newaxis], numbers[::-1], numbers)
