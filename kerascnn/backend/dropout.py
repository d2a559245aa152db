"""Random masks from few random bits."""

import keras
import tensorflow as tf

# This many numbers share the random choice between two thresholds; see below.
_GROUP = 16


def bernoulli(shape, probability, seed):
    """Draws a bool tensor; the relative error of the rarer value's probability is below 1/1000.

    On a CPU, drawing random numbers is most of the cost of dropout; here, one 32-bit random number
    serves four elements. Eight bits can only represent multiples of 1/256. For any other
    probability, the threshold is itself drawn from the two neighboring multiples, for 16 distant
    elements at a time. Each element is then true with exactly the given probability, and the
    covariance of two of the 16 elements is below 1/2**18.
    """
    shape = tf.convert_to_tensor(shape, tf.int32)
    size = tf.reduce_prod(shape)
    # The rarer of the two outcomes, because its threshold plus one always fits into int8.
    rare = min(probability, 1 - probability)
    if rare < 2**-7:  # 16 bits would be too inaccurate
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
    limit = tf.constant(high - 2**7, tf.int8)  # the random numbers are signed
    if low:
        finer = _bytes(drawn[words * _GROUP :], [words * 4])
        limit += tf.cast(finer < tf.constant(low - 2**7, tf.int8), tf.int8)
    mask = numbers < limit if probability <= 0.5 else numbers >= limit
    return tf.reshape(tf.reshape(mask, [-1])[:size], shape)


def _bytes(words, shape):
    return tf.reshape(tf.bitcast(words, tf.int8), shape)


def _pair(seed):
    """Returns two ints from an int, a `SeedGenerator` or, for `None`, TensorFlow's generator.

    If Keras's global generator is created while a graph is traced, it belongs to that graph, and
    later uses of it fail.
    """
    if isinstance(seed, keras.random.SeedGenerator):
        return seed.next()
    if seed is None:
        return tf.random.uniform((2,), 0, 2**31 - 1, tf.int32)
    return keras.random.randint((2,), 0, 2**31 - 1, seed=seed)
