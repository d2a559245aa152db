"""Activations: ReLU, sigmoid and softmax."""

import numpy as np


def relu(x):
    """`max(x, 0)`, element by element."""
    return np.maximum(x, 0)


def relu_backward(dy, x):
    """Gradient `dx`: the slope is 1 where `x > 0`, else 0; at the kink 0 is a convention."""
    return dy * (x > 0)


def sigmoid(x):
    """`1 / (1 + exp(-x))`, element by element.

    Below zero it is computed as the equal `exp(x) / (1 + exp(x))`: the exponential never overflows.
    """
    z = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, z) / (1 + z)


def sigmoid_backward(dy, x):
    """Gradient `dx`: deriving `1 / (1 + exp(-x))` gives the slope `sigmoid(x) * sigmoid(-x)`."""
    return dy * sigmoid(x) * sigmoid(-x)


def softmax(x):
    """`exp(x[c]) / sum(exp(x[k]) for k)` over the last axis of `x` `(..., classes)`.

    Subtracting the largest `x` first cancels in the quotient and keeps the exponentials finite.
    """
    z = np.exp(x - x.max(axis=-1, keepdims=True))
    return z / z.sum(axis=-1, keepdims=True)


def softmax_backward(dy, x):
    """Gradient `dx`.

    `x[k]` raises its own `y[k]` and, by the sum, lowers all: the slope of `y[c]` by `x[k]` is
    `y[c] * ((c == k) - y[k])`. Weighted by `dy[c]` and summed over `c`, this is
    `dx[k] = y[k] * (dy[k] - sum(dy[c] * y[c] for c))`.
    """
    y = softmax(x)
    return y * (dy - (dy * y).sum(axis=-1, keepdims=True))
