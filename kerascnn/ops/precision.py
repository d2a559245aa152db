"""The precision of computations and results."""

import keras
from keras import ops

# Not `keras.backend.result_type`, which converts float64 to float32 on PyTorch.


def widened(x):
    """Casts `x` to at least float32, for accurate statistics."""
    return ops.cast(x, "float64" if _name(x.dtype) == "float64" else "float32")


def float_dtype(dtype):
    """Returns `dtype`, or Keras's default float for integers."""
    return _name(dtype) if "float" in _name(dtype) else keras.config.floatx()


def _name(dtype):
    return keras.backend.standardize_dtype(dtype)
