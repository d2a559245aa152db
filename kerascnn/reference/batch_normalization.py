"""Batch normalization, channel by channel."""

import numpy as np


def batch_normalization(x, gamma, beta, epsilon=1e-3):
    """Normalizes `x` `(..., channels)` with its own statistics; returns `(y, mean, variance)`."""
    y = np.zeros_like(x)
    mean, variance = np.zeros_like(gamma), np.zeros_like(gamma)
    for c in range(x.shape[-1]):
        values = x[..., c]
        mean[c] = values.sum() / values.size
        variance[c] = ((values - mean[c]) ** 2).sum() / values.size
        y[..., c] = gamma[c] * (values - mean[c]) / np.sqrt(variance[c] + epsilon) + beta[c]
    return y, mean, variance


def batch_normalization_backward(dy, x, gamma, epsilon=1e-3):
    """Gradients `(dx, dgamma, dbeta)`.

    With `x_hat = (x - mean) / s` and `s = sqrt(variance + epsilon)`, a value affects its own
    `x_hat`, the mean and the variance. In total,
    `dx = gamma / s * (dy - average(dy) - x_hat * average(dy * x_hat))`.
    """
    dx, dgamma, dbeta = np.zeros_like(x), np.zeros_like(gamma), np.zeros_like(gamma)
    for c in range(x.shape[-1]):
        values, upstream = x[..., c], dy[..., c]
        s = np.sqrt(values.var() + epsilon)
        x_hat = (values - values.mean()) / s
        dgamma[c] = (upstream * x_hat).sum()
        dbeta[c] = upstream.sum()
        dx[..., c] = gamma[c] / s * (upstream - upstream.mean() - x_hat * (upstream * x_hat).mean())
    return dx, dgamma, dbeta
