"""Local response normalization with its gradient written out.

TensorFlow's own op takes odd sizes, channels last and float32 only, and its gradient is slower;
that of the plain form cuts and pads the image once for every channel of the window.
"""

import tensorflow as tf


def local_response_normalization(x, size, a, beta, k, axis):
    """`x / (k + a * energy)**beta`; the energy is the sum of squares over `size` channels.

    With `base = k + a * energy` and `y = x * base**-beta`, channel `j` moves its own `y` by
    `base[j]**-beta`, and through the energy every `y[c]` that has `j` in its window, by
    `-2 * a * beta * x[j] * y[c] / base[c]`. Those `c` are a window too: the mirror image.
    """
    before, after = size // 2, (size - 1) // 2

    @tf.custom_gradient
    def normalize(x):
        base = k + a * _window_sum(tf.square(x), before, after, axis)
        # exp and log are vectorized on a CPU, pow is not
        scale = tf.exp(-beta * tf.math.log(base))
        y = x * scale

        def gradient(dy):
            inhibited = _window_sum(dy * y / base, after, before, axis)
            return dy * scale - (2 * a * beta) * x * inhibited

        return y, gradient

    return normalize(x)


def _window_sum(x, before, after, axis):
    """For each channel, the sum of those from `before` channels before it to `after` after it."""
    channels = x.shape[axis]
    pads = [(0, 0)] * len(x.shape)
    pads[axis] = (before, after)
    padded = tf.pad(x, pads)
    first = (slice(None),) * axis
    parts = [padded[(*first, slice(i, i + channels))] for i in range(before + after + 1)]
    return tf.add_n(parts)
