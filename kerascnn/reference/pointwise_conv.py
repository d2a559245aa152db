"""Pointwise convolution: one matrix, applied to the channels of every pixel."""

import numpy as np


def pointwise_conv2d(x, kernel):
    """Multiplies the channels of every pixel of `x` `(n, h, w, c)` by `kernel` `(1, 1, c, o)`."""
    y = np.zeros((*x.shape[:3], kernel.shape[-1]), np.result_type(x, kernel))
    for n, h, w in np.ndindex(x.shape[:3]):
        y[n, h, w] = x[n, h, w] @ kernel[0, 0]
    return y


def pointwise_conv2d_backward(dy, x, kernel):
    """Gradients `(dx, dkernel)` of a matrix product for every pixel."""
    dx = np.zeros(x.shape, np.result_type(dy, kernel))
    dkernel = np.zeros(kernel.shape, np.result_type(dy, x))
    for n, h, w in np.ndindex(x.shape[:3]):
        dx[n, h, w] = kernel[0, 0] @ dy[n, h, w]
        dkernel[0, 0] += np.outer(x[n, h, w], dy[n, h, w])
    return dx, dkernel
