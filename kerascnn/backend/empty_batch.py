"""Support for replicas without images."""

import tensorflow as tf


def may_be_empty(x):
    """Returns whether the batch of a replica may be empty.

    A `tf.distribute` strategy splits the last batch of an epoch, which may have fewer images than
    there are replicas. Otherwise batches are not empty, and `unless_empty` would only cost time and
    prevent exports.
    """
    return (
        tf.is_tensor(x)
        and x.shape.rank is not None
        and x.shape[0] is None
        and tf.distribute.has_strategy()
        and tf.distribute.get_strategy().num_replicas_in_sync > 1
    )


def unless_empty(x, compute, compute_empty):
    """Returns `compute()`, or `compute_empty()` if `x` is empty when the graph runs."""
    return tf.cond(tf.shape(x)[0] > 0, compute, compute_empty)
