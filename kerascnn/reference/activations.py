"""Activations: ReLU, sigmoid and softmax."""

import numpy as np


def relu(x):
    """`max(x, 0)`, element by element."""
    return np.maximum(x, 0)


def relu_backward(dy, x):
    """Gradient `dx`: the slope is 1 where `x > 0`, else 0; at 0 it is 0 by convention."""
    return dy * (x > 0)


def sigmoid(x):
    """`1 / (1 + exp(-x))`, element by element.

    Below zero it is computed as `exp(x) / (1 + exp(x))`, so that the exponential never overflows.
    """
    z = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, z) / (1 + z)


def sigmoid_backward(dy, x):
    """Gradient `dx`: the derivative of `1 / (1 + exp(-x))` is `sigmoid(x) * sigmoid(-x)`."""
    return dy * sigmoid(x) * sigmoid(-x)


def softmax(x):
    """`exp(x[c]) / sum(exp(x[k]) for k)` over the last axis of `x` `(..., classes)`.

    Subtracting the largest `x` first does not change the quotient and prevents overflow.
    """
    z = np.exp(x - x.max(axis=-1, keepdims=True))
    return z / z.sum(axis=-1, keepdims=True)


def softmax_backward(dy, x):
    """Gradient `dx`.

    `x[k]` increases its own `y[k]` and, through the sum, decreases all: the derivative of `y[c]`
    with respect to `x[k]` is `y[c] * ((c == k) - y[k])`. Weighted by `dy[c]` and summed over `c`,
    this is `dx[k] = y[k] * (dy[k] - sum(dy[c] * y[c] for c))`.
    """
    y = softmax(x)
    return y * (dy - (dy * y).sum(axis=-1, keepdims=True))
