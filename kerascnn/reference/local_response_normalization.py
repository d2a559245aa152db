"""Local response normalization, channel by channel."""

import numpy as np


def _window(c, size, channels):
    """The channels whose energy normalizes channel `c`."""
    return slice(max(c - size // 2, 0), min(c + (size - 1) // 2 + 1, channels))


def _bases(x, size, a, k):
    """`k + a * sum(x[..., j]**2 for j in window(c))` for every channel `c`."""
    bases = np.zeros_like(x)
    for c in range(x.shape[-1]):
        bases[..., c] = k + a * (x[..., _window(c, size, x.shape[-1])] ** 2).sum(axis=-1)
    return bases


def local_response_normalization(x, size=5, a=1e-4, beta=0.75, k=2.0):
    """`y[..., c] = x[..., c] / base[c]**beta`; `x` is `(..., channels)`.

    `base[c] = k + a * sum(x[..., j]**2 for j in window(c))`, where the window is from
    `c - size // 2` to `c + (size - 1) // 2` within the channels.
    """
    return x / _bases(x, size, a, k) ** beta


def local_response_normalization_backward(dy, x, size=5, a=1e-4, beta=0.75, k=2.0):
    """Gradient `dx`.

    Channel `j` affects its own `y[j]` by `base[j]**-beta`, and the base of every channel `c` with
    `j` in its window by `2 * a * x[j]`, which affects `y[c]` by `-beta * y[c] / base[c]` times
    that.
    """
    bases = _bases(x, size, a, k)
    y = x / bases**beta
    dx = dy / bases**beta
    for c in range(x.shape[-1]):
        window = _window(c, size, x.shape[-1])
        moved = dy[..., c] * -beta * y[..., c] / bases[..., c]
        dx[..., window] += moved[..., None] * 2 * a * x[..., window]
    return dx
