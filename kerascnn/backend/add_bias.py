"""Bias addition that TensorFlow fuses with a convolution, with an accurate gradient."""

import tensorflow as tf


def add_bias(x, bias, data_format):
    """Adds a bias to every channel.

    `keras.ops.add` uses the same operation, but guesses the data format from the shape, and is
    wrong if channels come first and the width equals their number (Keras 3.15).
    """
    first = data_format == "channels_first"
    if x.dtype == tf.bfloat16:
        # On a CPU, the gradient of `BiasAdd` is accumulated in bfloat16 and stops growing after
        # some hundred pixels, and the gradient of `+` in float32. In float16, it is the other way
        # round (TensorFlow 2.21).
        return x + (tf.reshape(bias, (-1, 1, 1)) if first else bias)
    return tf.nn.bias_add(x, bias, data_format="NCHW" if first else "NHWC")
