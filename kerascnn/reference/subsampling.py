"""Trainable subsampling, window by window."""

import numpy as np

from kerascnn.reference.windows import place_windows, windows


def _sums(x, pool_size, strides, padding):
    """The sum of every window of the padded `x`, the padding, and the positions of the windows."""
    strides = pool_size if strides is None else strides
    pads, counts = place_windows(x.shape[1:3], pool_size, strides, padding)
    padded = np.pad(x, [(0, 0), *pads, (0, 0)])
    placed = list(windows(counts, pool_size, strides))
    sums = np.zeros((len(x), *counts, x.shape[-1]), x.dtype)
    for h, w, rows, columns in placed:
        sums[:, h, w] = padded[:, rows, columns].sum(axis=(1, 2))
    return sums, pads, placed


def subsampling2d(x, kernel, bias, pool_size=2, strides=None, padding="valid"):
    """`y[h, w, c] = kernel[c] * sum(pixels of the window) + bias[c]`; `x` is `(n, h, w, c)`."""
    return kernel * _sums(x, pool_size, strides, padding)[0] + bias


def subsampling2d_backward(dy, x, kernel, pool_size=2, strides=None, padding="valid"):
    """Gradients `(dx, dkernel, dbias)`.

    A pixel has the weight `kernel[c]` in each of its windows; `dkernel` sums over the windows.
    """
    sums, ((top, bottom), (left, right)), placed = _sums(x, pool_size, strides, padding)
    batch, height, width, channels = x.shape
    dpadded = np.zeros((batch, top + height + bottom, left + width + right, channels), dy.dtype)
    for h, w, rows, columns in placed:
        dpadded[:, rows, columns] += (kernel * dy[:, h, w])[:, None, None]
    dx = dpadded[:, top : top + height, left : left + width]
    return dx, (dy * sums).sum(axis=(0, 1, 2)), dy.sum(axis=(0, 1, 2))
