"""Bias addition with a gradient that is accurate in half precision."""

import keras
from keras import ops

from kerascnn.ops.precision import widened
from kerascnn.ops.shapes import in_format, standardize_data_format

if keras.backend.backend() == "tensorflow":
    from kerascnn.backend.add_bias import add_bias as tensorflow_kernel


def add_bias(x, bias, data_format=None):
    """Adds a bias to every channel of an image, in the dtype of the image.

    The gradient of the bias is the output's gradient, summed over all pixels of the batch.

    Args:
        x: float tensor of shape `(batch, height, width, channels)`, or channels first.
        bias: float tensor of shape `(channels,)`, or `None`.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.

    Returns:
        tensor of the shape and dtype of `x`.
    """
    if bias is None:
        return x
    data_format = standardize_data_format(data_format)
    bias = ops.cast(bias, x.dtype)
    if keras.backend.backend() == "tensorflow":
        return tensorflow_kernel(x, bias, data_format)
    bias = ops.reshape(bias, in_format(1, 1, 1, -1, data_format))
    if keras.backend.backend() == "jax":
        # On a CPU, XLA would sum the gradient in half precision; it fuses these casts (JAX 0.10).
        return ops.cast(widened(x) + widened(bias), x.dtype)
    return x + bias
