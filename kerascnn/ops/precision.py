"""Which precision a computation takes, and which one it returns."""

import keras
from keras import ops

# Not `keras.backend.result_type`, which makes float32 of float64 on PyTorch.


def widened(x):
    """`x` in a precision in which statistics are safe: float32 at least."""
    return ops.cast(x, "float64" if _name(x.dtype) == "float64" else "float32")


def float_dtype(dtype):
    """`dtype` itself, or Keras's float for integers."""
    return _name(dtype) if "float" in _name(dtype) else keras.config.floatx()


def _name(dtype):
    return keras.backend.standardize_dtype(dtype)
