"""Data order: every training step depends only on the seed, the epoch and the batch number.

Every training pipeline of kerascnn uses `batches_by_epoch`: stateless functions of
`epoch_key(seed, epoch)` draw the image order, the augmentation, the crops and the patches of an
epoch. A process that resumes in the middle of an epoch therefore gets the same batches as an
uninterrupted process, without reading the batches before.

A pipeline counts its own epochs, one for each iteration. A training calls `begin_epoch` to set
where the next iteration begins.
"""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from kerascnn.arguments import at_least_one
from kerascnn.data.prefetching import prefetched

_SEED = 2**31 - 1


class _Training:
    """The position of the training in progress, where pipelines begin."""

    epoch = 0
    coming: tuple[int, int] | None = None


def begin_epoch(epoch, start=0):
    """Sets where the next iteration of a pipeline begins.

    Args:
        epoch: int, starting at 0.
        start: int, number of batches to skip; they are empty.
    """
    _Training.epoch, _Training.coming = epoch, (epoch, start)


def end_training():
    """Ends a training: pipelines count their own epochs again."""
    _Training.epoch, _Training.coming = 0, None


def current_epoch() -> int:
    """Returns the current epoch of the training, starting at 0.

    A `keras.utils.PyDataset` whose `on_epoch_begin` draws the order from a seed and this number
    gives the same batches to a resumed training as to an uninterrupted one.

    Returns:
        int; 0 outside of `kerascnn.training.fit` and of `fit` with `kerascnn.training.Resume`.

    Example:
        >>> import kerascnn
        >>> kerascnn.data.current_epoch()
        0
    """
    return _Training.epoch


def by_epoch(make: Callable[[Any], Any], steps: int | None = None) -> tf.data.Dataset:
    """Returns a dataset with different batches in every epoch.

    The first iteration is `make(0)`, the next one `make(1)`, and so on. A resumed training
    (`kerascnn.training.Resume`) begins with the epoch in which it stopped, and gets the same
    batches if `make` depends only on its argument and on fixed seeds.

    Args:
        make: function from the epoch, a scalar int64 tensor, to a `tf.data.Dataset` of batches. It
            is called once, to build a graph.
        steps: int, number of batches; by default unknown until an epoch has ended.

    Returns:
        `tf.data.Dataset`.

    Example:
        >>> import tensorflow as tf
        >>> import kerascnn
        >>> def batches(epoch):
        ...     key = tf.stack([tf.constant(0, tf.int64), epoch])
        ...     order = tf.random.experimental.stateless_shuffle(tf.range(6), key)
        ...     return tf.data.Dataset.from_tensor_slices(order).batch(2)
        >>> dataset = kerascnn.data.by_epoch(batches, steps=3)
        >>> len(dataset)
        3
        >>> first, second = next(iter(dataset)), next(iter(dataset))
        >>> first.numpy().tolist() == second.numpy().tolist()
        False
    """
    return _iterated(lambda epoch, start: make(epoch), steps)


def batches_by_epoch(make, steps, stored=None):
    """Returns the batches of a training pipeline.

    Args:
        make: function from epoch and start, scalar int64 tensors, and the element of `stored`, if
            there is one, to a `tf.data.Dataset` of the batches of this epoch from `start` on.
        steps: int, number of batches in an epoch.
        stored: optional `tf.data.Dataset` of one element, as `in_memory` returns it.

    Returns:
        `tf.data.Dataset` of `steps` batches; those before `start` are empty.
    """

    def whole(epoch, start, *table):
        rest = make(epoch, start, *table)
        return (
            tf.data.Dataset.range(start).map(lambda _: _empty(rest.element_spec)).concatenate(rest)
        )

    return _iterated(whole, at_least_one(steps, "steps"), stored)


def _iterated(make, steps, stored=None):
    own = itertools.count()

    def begin():
        """Called by TensorFlow when an iteration begins."""
        nonlocal own
        epoch, start = (next(own), 0) if _Training.coming is None else _Training.coming
        if _Training.coming is not None:
            _Training.coming, own = None, itertools.count(epoch + 1)
        return np.int64(epoch), np.int64(start)

    def place(_):
        epoch, start = tf.numpy_function(begin, [], (tf.int64, tf.int64))
        return tf.ensure_shape(epoch, ()), tf.ensure_shape(start, ())

    dataset = tf.data.Dataset.from_tensors(0).map(place)
    if stored is None:
        dataset = dataset.flat_map(make)
    else:
        dataset = tf.data.Dataset.zip(dataset, stored).flat_map(
            lambda begun, table: make(*begun, table)  # pyright: ignore[reportArgumentType]
        )
    return prefetched(dataset, steps)


def _empty(spec):
    return tf.nest.map_structure(
        lambda part: tf.zeros([0, *(side or 0 for side in part.shape[1:])], part.dtype), spec
    )


def in_memory(dataset, count):
    """Returns a dataset with a single element that stacks all elements of another dataset."""
    # Prefetching requests a second element, so that the cache sees the end of the dataset.
    return dataset.batch(count).cache().prefetch(2)


def epoch_key(seed, epoch, purpose=0):
    """Returns the random key of an epoch: an int32 tensor of shape `(2,)`.

    Args:
        seed: int.
        epoch: scalar int64 tensor, or int.
        purpose: int; different purposes give independent keys.
    """
    key = tf.stack([tf.constant(seed % _SEED, tf.int64), tf.cast(epoch, tf.int64)])
    return tf.random.fold_in(tf.cast(key, tf.int32), purpose, alg="philox")


def keys(key, count):
    """Splits a key into `count` keys: an int32 tensor of shape `(count, 2)`."""
    return tf.random.stateless_uniform(
        [count, 2],
        key,
        minval=None,  # pyright: ignore[reportArgumentType]
        maxval=None,
        dtype=tf.int32,
        alg="philox",
    )


def permutation(key, count):
    """Returns a random permutation of the integers in [0, count): an int64 tensor."""
    return tf.random.experimental.stateless_shuffle(  # pyright: ignore[reportAttributeAccessIssue]
        tf.range(count, dtype=tf.int64), seed=key, alg="philox"
    )


def shuffled(dataset, buffer, key):
    """Shuffles a dataset; the order depends only on the key."""
    # `Dataset.shuffle` accepts no tensor as its seed if TensorFlow has a global seed.
    spec, seeds = dataset.element_spec, tf.cast(key, tf.int64)
    found = tf.raw_ops.ShuffleDataset(
        input_dataset=tf.data.experimental.to_variant(dataset),
        buffer_size=tf.constant(buffer, tf.int64),
        seed=seeds[0],
        seed2=seeds[1],
        output_types=[part.dtype for part in tf.nest.flatten(spec)],
        output_shapes=[part.shape for part in tf.nest.flatten(spec)],
        reshuffle_each_iteration=False,
    )
    return tf.data.experimental.from_variant(found, spec)
