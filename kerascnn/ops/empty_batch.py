"""Lets an op take a batch without images where a backend cannot."""

import functools

import keras
from keras import ops

if keras.backend.backend() == "tensorflow":
    from kerascnn.backend.empty_batch import may_be_empty, unless_empty


def holds_images(x):
    """Returns whether there is anything in a batch: a bool, or a tensor where only the graph knows.

    Args:
        x: tensor, a batch along its first axis.
    """
    if x.shape[0] == 0:
        return False
    if keras.backend.backend() == "tensorflow" and may_be_empty(x):
        return ops.shape(x)[0] > 0
    return True


def takes_empty_batches(function):
    """Wraps a function whose first argument is a batch, and whose outputs are batches.

    On an empty batch, TensorFlow's kernels for CPUs return wrong shapes, leave the gradients of a
    kernel uninitialized, fail or end the process, with oneDNN more often than without.
    """

    @functools.wraps(function)
    def op(x, *args, **kwargs):
        def compute():
            return function(x, *args, **kwargs)

        def compute_empty():
            # The outputs for one image of zeros, without that image: gradients exist and are zero.
            image = ops.zeros((1, *ops.shape(x)[1:]), x.dtype)
            outputs = function(ops.concatenate([x, image]), *args, **kwargs)
            return tuple(y[:0] for y in outputs) if isinstance(outputs, tuple) else outputs[:0]

        if x.shape[0] == 0:
            return compute_empty()
        if keras.backend.backend() == "tensorflow" and may_be_empty(x):
            return unless_empty(x, compute, compute_empty)
        return compute()

    return op
