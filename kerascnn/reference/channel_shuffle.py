"""Channel shuffle, channel by channel."""

import numpy as np


def channel_shuffle(x, groups):
    """`y[..., i * groups + g] = x[..., g * n + i]` with `n` channels in each group."""
    y = np.zeros_like(x)
    n = x.shape[-1] // groups
    for g, i in np.ndindex(groups, n):
        y[..., i * groups + g] = x[..., g * n + i]
    return y


def channel_shuffle_backward(dy, groups):
    """Gradient `dx`: every channel was moved to one position, where its gradient is."""
    dx = np.zeros_like(dy)
    n = dy.shape[-1] // groups
    for g, i in np.ndindex(groups, n):
        dx[..., g * n + i] = dy[..., i * groups + g]
    return dx
