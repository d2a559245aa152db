"""Local response normalization with an explicit gradient.

TensorFlow's own op is fast in the forward pass, but only supports odd sizes, channels last and
float32. Its gradient is slower, and the gradient of the plain form slices and pads the image once
for every channel of the window.
"""

import tensorflow as tf


def local_response_normalization(x, size, a, beta, k, axis):
    """Computes `x / (k + a * energy)**beta`, where energy is the sum of squares of `size` channels.

    With `base = k + a * energy` and `y = x * base**-beta`, channel `j` affects its own `y` by
    `base[j]**-beta`, and through the energy every `y[c]` that has `j` in its window, by
    `-2 * a * beta * x[j] * y[c] / base[c]`. These `c` also form a window, mirrored.
    """
    before, after = size // 2, (size - 1) // 2

    def base_and_scale(x):
        base = k + a * _window_sum(tf.square(x), before, after, axis)
        # exp and log are vectorized on a CPU, pow is not
        return base, tf.exp(-beta * tf.math.log(base))

    @tf.custom_gradient
    def normalize(x):
        if size % 2 and axis == 3 and x.dtype == tf.float32:
            y = tf.nn.local_response_normalization(x, before, k, a, beta)
        else:
            y = x * base_and_scale(x)[1]

        def gradient(dy):
            base, scale = base_and_scale(x)
            inhibited = _window_sum(dy * y / base, after, before, axis)
            return dy * scale - (2 * a * beta) * x * inhibited

        return y, gradient

    return normalize(x)


def _window_sum(x, before, after, axis):
    """Returns sums over windows from `before` channels before to `after` after each channel."""
    channels = x.shape[axis]
    pads = [(0, 0)] * len(x.shape)
    pads[axis] = (before, after)
    padded = tf.pad(x, pads)
    first = (slice(None),) * axis
    parts = [padded[(*first, slice(i, i + channels))] for i in range(before + after + 1)]
    return tf.add_n(parts)
