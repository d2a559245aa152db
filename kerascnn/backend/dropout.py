"""Random masks from few random bits."""

import keras
import tensorflow as tf


def bernoulli(shape, probability, seed):
    """Draws a bool tensor that is true with the given probability.

    One 32-bit random number serves four elements where the probability is a multiple of 1/256, and
    two elsewhere, where it is met within 1/65536. On a CPU, drawing is most of the cost of dropout.
    """
    bits = 8 if (probability * 256).is_integer() else 16
    dtype, per_word = {8: (tf.int8, 4), 16: (tf.int16, 2)}[bits]
    shape = tf.convert_to_tensor(shape, tf.int32)
    size = tf.reduce_prod(shape)
    words = tf.random.stateless_uniform(
        [(size + per_word - 1) // per_word],
        seed=_pair(seed),
        minval=None,
        maxval=None,
        dtype=tf.int32,
        alg="philox",
    )
    numbers = tf.reshape(tf.bitcast(words, dtype), [-1])[:size]
    # The numbers are signed, from -2**(bits - 1); the threshold must be one of them.
    threshold = min(round(probability * 2**bits), 2**bits - 1) - 2 ** (bits - 1)
    return tf.reshape(numbers < tf.constant(threshold, dtype), shape)


def _pair(seed):
    """Two integers from an int, a `SeedGenerator` or, for `None`, Keras's global generator."""
    if isinstance(seed, keras.random.SeedGenerator):
        return seed.next()
    return keras.random.randint((2,), 0, 2**31 - 1, seed=seed)
