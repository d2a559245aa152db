"""Maxout, unit by unit."""

import numpy as np


def maxout(x, units):
    """`y[..., u] = max(x[..., u * p + j] for j in range(p))` with `p` pieces for each unit."""
    p = x.shape[-1] // units
    y = np.zeros((*x.shape[:-1], units), x.dtype)
    for u in range(units):
        y[..., u] = x[..., u * p : (u + 1) * p].max(axis=-1)
    return y


def maxout_backward(dy, x):
    """Gradient `dx`: flows to the largest piece, or to the first of equal pieces."""
    units = dy.shape[-1]
    p = x.shape[-1] // units
    dx = np.zeros(x.shape, dy.dtype)
    for u in range(units):
        winner = x[..., u * p : (u + 1) * p].argmax(axis=-1)
        for j in range(p):
            dx[..., u * p + j] = np.where(winner == j, dy[..., u], 0)
    return dx
