"""Blur pooling, pixel by pixel."""

from math import comb

import numpy as np

from kerascnn.reference.windows import pair, same_padding


def _mirrored(position, length):
    """The pixel that a position outside the image reflects, without repeating the border pixels."""
    if position < 0:
        return -position
    return position if position < length else 2 * (length - 1) - position


def _taps(length, size, stride, padding):
    """Yields `(output, input, weight)` for every pixel that an output sees along one axis."""
    before, after = {
        "valid": (0, 0),
        "same": same_padding(length, size, stride),
        "reflect": ((size - 1) // 2, size // 2),
    }[padding]
    for output in range((before + length + after - size) // stride + 1):
        for i in range(size):
            position = output * stride + i - before
            if padding == "reflect":
                position = _mirrored(position, length)
            if 0 <= position < length:  # pixels outside are zero
                yield output, position, comb(size - 1, i) / 2 ** (size - 1)


def _all_taps(shape, kernel_size, strides, padding):
    """`(h, w, row, column, weight)` for both axes, and the output size."""
    axes = zip(shape, pair(kernel_size), pair(strides), strict=True)
    rows, columns = (list(_taps(*axis, padding)) for axis in axes)
    taps = [(h, w, i, j, a * b) for h, i, a in rows for w, j, b in columns]
    return taps, (rows[-1][0] + 1, columns[-1][0] + 1)


def blur_pool2d(x, kernel_size=3, strides=2, padding="reflect"):
    """Weights the pixels of every window of `x` `(n, h, w, c)` with binomial coefficients.

    Tap `i` of `k` has the weight `comb(k - 1, i) / 2**(k - 1)`, and a pixel has the product of the
    weights of its row and column. `padding` is "reflect", "same" or "valid".
    """
    taps, counts = _all_taps(x.shape[1:3], kernel_size, strides, padding)
    y = np.zeros((len(x), *counts, x.shape[-1]), np.result_type(x, 0.0))
    for h, w, row, column, weight in taps:
        y[:, h, w] += weight * x[:, row, column]
    return y


def blur_pool2d_backward(dy, x, kernel_size=3, strides=2, padding="reflect"):
    """Gradient `dx`: an output's gradient flows back to its pixels with the same weights."""
    taps, _ = _all_taps(x.shape[1:3], kernel_size, strides, padding)
    dx = np.zeros(x.shape, dy.dtype)
    for h, w, row, column, weight in taps:
        dx[:, row, column] += weight * dy[:, h, w]
    return dx
