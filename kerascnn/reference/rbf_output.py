"""Radial basis functions, prototype by prototype."""

import numpy as np


def rbf_output(x, prototypes):
    """`y[n, i] = sum((x[n, j] - prototypes[i, j])**2 for j)`."""
    y = np.zeros((len(x), len(prototypes)), x.dtype)
    for n, i in np.ndindex(y.shape):
        y[n, i] = ((x[n] - prototypes[i]) ** 2).sum()
    return y


def rbf_output_backward(dy, x, prototypes):
    """Gradients `(dx, dprototypes)`.

    The derivative of a distance is `2 * (x - prototype)` with respect to `x`, and the negative of
    that with respect to the prototype.
    """
    dx, dprototypes = np.zeros_like(x), np.zeros_like(prototypes)
    for n, i in np.ndindex(dy.shape):
        pull = dy[n, i] * 2 * (x[n] - prototypes[i])
        dx[n] += pull
        dprototypes[i] -= pull
    return dx, dprototypes
