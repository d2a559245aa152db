"""Which precision a computation takes, and which one it returns."""

import keras
from keras import ops


def widened(x):
    """`x` in a precision in which statistics are safe: float32 at least."""
    return ops.cast(x, keras.backend.result_type(x.dtype, "float32"))


def float_dtype(dtype):
    """`dtype` itself, or Keras's float for integers."""
    return keras.backend.result_type(dtype, float)
