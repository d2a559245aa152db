"""Random masks from few random bits."""

import keras
import tensorflow as tf

# So many numbers share the random choice between two thresholds; see below.
_GROUP = 16


def bernoulli(shape, probability, seed):
    """Draws a bool tensor that is true with the given probability, met within 1/1000 of the rarer.

    On a CPU, drawing is most of the cost of dropout; here one 32-bit random number serves four
    elements. Eight bits alone know multiples of 1/256 only. For any other probability the
    threshold that they are compared with is itself drawn, from the two multiples around it, for 16
    elements far apart. Each element is then true with just this probability, and the covariance of
    two of the 16 is below 1/2**18.
    """
    shape = tf.convert_to_tensor(shape, tf.int32)
    size = tf.reduce_prod(shape)
    # The rarer of the two outcomes: its threshold plus one is an int8, whatever the probability.
    rare = min(probability, 1 - probability)
    if rare < 2**-7:  # 16 bits would round it too much
        uniform = tf.random.stateless_uniform(shape, seed=_pair(seed), alg="philox")
        return uniform < probability
    high, low = divmod(round(rare * 2**16), 2**8)
    groups = (size + _GROUP - 1) // _GROUP
    words = (groups + 3) // 4
    drawn = tf.random.stateless_uniform(
        [words * (_GROUP + (low > 0))],
        seed=_pair(seed),
        minval=None,
        maxval=None,
        dtype=tf.int32,
        alg="philox",
    )
    numbers = _bytes(drawn[: words * _GROUP], [_GROUP, words * 4])
    limit = tf.constant(high - 2**7, tf.int8)  # the numbers are signed
    if low:
        finer = _bytes(drawn[words * _GROUP :], [words * 4])
        limit += tf.cast(finer < tf.constant(low - 2**7, tf.int8), tf.int8)
    mask = numbers < limit if probability <= 0.5 else numbers >= limit
    return tf.reshape(tf.reshape(mask, [-1])[:size], shape)


def _bytes(words, shape):
    return tf.reshape(tf.bitcast(words, tf.int8), shape)


def _pair(seed):
    """Two integers from an int, a `SeedGenerator` or, for `None`, TensorFlow's own generator.

    Keras's global generator, if it is made while a graph is traced, belongs to that graph, and
    everything that uses it later fails.
    """
    if isinstance(seed, keras.random.SeedGenerator):
        return seed.next()
    if seed is None:
        return tf.random.uniform((2,), 0, 2**31 - 1, tf.int32)
    return keras.random.randint((2,), 0, 2**31 - 1, seed=seed)
