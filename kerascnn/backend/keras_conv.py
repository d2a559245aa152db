"""Keras's convolutions, except where PyTorch computes them incorrectly on a CPU."""

import keras
from keras import ops


def conv(x, kernel, **options):
    """Returns `keras.ops.conv`."""
    dilated_depthwise = kernel.shape[2] == 1 and max(options["dilation_rate"]) > 1
    # PyTorch 2.13 computes kernel gradients of up to 1e34 in this case, or NaN.
    wide = dilated_depthwise and _is_torch_cpu(x, "bfloat16")
    return _computed(ops.conv, x, kernel, wide, options)


def conv_transpose(x, kernel, **options):
    """Returns `keras.ops.conv_transpose`."""
    # Without AVX-512, PyTorch 2.13 sums in float16, where partial sums can be infinite.
    return _computed(ops.conv_transpose, x, kernel, _is_torch_cpu(x, "float16"), options)


def _is_torch_cpu(x, dtype):
    on_torch = keras.backend.backend() == "torch"
    return on_torch and keras.backend.standardize_dtype(x.dtype) == dtype and x.device.type == "cpu"


def _computed(function, x, kernel, wide, options):
    """Returns the result in the data type of `x`, computed in float32 if `wide`."""
    if not wide:
        return function(x, kernel, **options)
    dtype = keras.backend.standardize_dtype(x.dtype)
    y = function(ops.cast(x, "float32"), ops.cast(kernel, "float32"), **options)
    return ops.cast(y, dtype)
