"""Bilinear upsampling in loops."""

import numpy as np


def bilinear_upsampling2d(x, rows, columns):
    """`(n, h, w, c)` to `(n, h * rows, w * columns, c)`."""
    batch, height, width, channels = x.shape
    y = np.zeros((batch, height * rows, width * columns, channels), x.dtype)
    for h, w in np.ndindex(*y.shape[1:3]):
        for (i, row_weight), (j, column_weight) in _pairs(h, rows, height, w, columns, width):
            y[:, h, w] += row_weight * column_weight * x[:, i, j]
    return y


def bilinear_upsampling2d_backward(dy, rows, columns):
    """Gradient `dx`: every value flows back to the pixels it was interpolated from."""
    batch, height, width, channels = dy.shape
    height, width = height // rows, width // columns
    dx = np.zeros((batch, height, width, channels), dy.dtype)
    for h, w in np.ndindex(*dy.shape[1:3]):
        for (i, row_weight), (j, column_weight) in _pairs(h, rows, height, w, columns, width):
            dx[:, i, j] += row_weight * column_weight * dy[:, h, w]
    return dx


def _pairs(h, rows, height, w, columns, width):
    return [
        (row, column)
        for row in _neighbours(h, rows, height)
        for column in _neighbours(w, columns, width)
    ]


def _neighbours(place, factor, size):
    """The two nearest input pixels of an output pixel, and their weights."""
    center = (place + 0.5) / factor - 0.5
    before = int(np.floor(center))
    share = center - before
    return [(min(max(before, 0), size - 1), 1 - share), (min(max(before + 1, 0), size - 1), share)]
