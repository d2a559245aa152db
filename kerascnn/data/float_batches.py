"""Scales batches of pixels to floats, large ones in memory that is used again."""

import math
import os
import sys
import threading

import numpy as np
import tensorflow as tf

from kerascnn.data.pixels import scale

# The C library returns the memory of larger batches to the system. To get it back, page by page and
# cleared, took a fifth of the time of reading JPEG files of 256x256 in batches of 32.
_LARGE = 2**22
_ALIGNMENT = 64  # TensorFlow copies arrays of a smaller one.
_MOST_KEPT = 8
_PARALLEL = min(4, os.cpu_count() or 1)


def scaled_batches(batches, batch_size, keep_memory):
    """Scales the images of batches as `kerascnn.data.pixels.scale` does.

    Args:
        batches: `tf.data.Dataset` of pairs of images and labels.
        batch_size: int.
        keep_memory: bool, whether the memory of large batches is used again while there is the
            dataset. Such a dataset needs Python to run.

    Returns:
        `tf.data.Dataset` of pairs of float32 images and labels.
    """
    shape, dtype = batches.element_spec[0].shape, batches.element_spec[0].dtype
    size = batch_size * math.prod(shape[1:]) * tf.float32.size
    if not keep_memory or dtype != tf.uint8 or size < _LARGE:
        return batches.map(lambda images, labels: (scale(images), labels), tf.data.AUTOTUNE)
    scaled = _ReusedFloats()

    def by_numpy(images, labels):
        floats = tf.numpy_function(scaled, [images], tf.float32, stateful=False)
        return tf.ensure_shape(floats, shape), labels

    return batches.map(by_numpy, _PARALLEL)


class _ReusedFloats:
    """Scales arrays of pixels, each into memory that nothing else refers to."""

    def __init__(self):
        self._kept, self._lock = [], threading.Lock()
        (self._unused,) = _references([np.empty(0)])

    def __call__(self, pixels):
        with self._lock:
            floats = _floats(self._memory(pixels.size), pixels.shape)
        # In one pass: NumPy converts a few thousand values at a time.
        return np.divide(pixels, np.float32(255), out=floats, dtype=np.float32)

    def _memory(self, size):
        nbytes = size * tf.float32.size + _ALIGNMENT
        for memory, references in zip(self._kept, _references(self._kept), strict=True):
            # Views, and views of views, refer to the array itself.
            if references == self._unused and memory.size >= nbytes:
                return memory
        memory = np.empty(nbytes, np.uint8)
        if len(self._kept) < _MOST_KEPT:
            self._kept.append(memory)
        return memory


def _references(arrays):
    return [sys.getrefcount(array) for array in arrays]


def _floats(memory, shape):
    """Returns an array in some memory that TensorFlow uses without a copy."""
    start = -memory.ctypes.data % _ALIGNMENT
    return (
        memory[start : start + math.prod(shape) * tf.float32.size].view(np.float32).reshape(shape)
    )
