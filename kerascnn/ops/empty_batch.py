"""Support for empty batches in ops whose backend does not support them."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import keras
from keras import ops

if keras.backend.backend() == "tensorflow":
    from kerascnn.backend.empty_batch import may_be_empty, unless_empty

# An op; the wrapped op has the same signature.
_Op = TypeVar("_Op", bound=Callable[..., Any])


def holds_images(x):
    """Returns whether a batch is not empty: a bool, or a tensor if only the graph knows.

    Args:
        x: tensor, a batch along its first axis.
    """
    if x.shape[0] == 0:
        return False
    if keras.backend.backend() == "tensorflow" and may_be_empty(x):
        return ops.shape(x)[0] > 0
    return True


def takes_empty_batches(function: _Op) -> _Op:
    """Wraps a function whose first argument is a batch, and whose outputs are batches.

    On an empty batch, TensorFlow's CPU kernels return wrong shapes, leave the gradients of a kernel
    uninitialized, fail or crash the process, more often with oneDNN than without.
    """

    @functools.wraps(function)
    def op(x, *args, **kwargs):
        def compute():
            return function(x, *args, **kwargs)

        def compute_empty():
            # The outputs for an image of zeros, sliced to no images: gradients exist and are zero.
            image = ops.zeros((1, *ops.shape(x)[1:]), x.dtype)
            outputs = function(ops.concatenate([x, image]), *args, **kwargs)
            return tuple(y[:0] for y in outputs) if isinstance(outputs, tuple) else outputs[:0]

        if x.shape[0] == 0:
            return compute_empty()
        if keras.backend.backend() == "tensorflow" and may_be_empty(x):
            return unless_empty(x, compute, compute_empty)
        return compute()

    typed: Any = op
    return typed
