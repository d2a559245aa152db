"""Pixel shuffle in loops. Each function is the backward of the other: both only move values."""

import numpy as np


def _source_channel(i, j, c, rows, columns, channels, mode):
    if mode == "DCR":
        return (i * columns + j) * channels + c
    return c * rows * columns + i * columns + j


def pixel_shuffle(x, rows, columns, mode="DCR"):
    """`(n, h, w, c * rows * columns)` to `(n, h * rows, w * columns, c)`."""
    batch, height, width, channels = x.shape
    channels //= rows * columns
    y = np.zeros((batch, height * rows, width * columns, channels), x.dtype)
    for h, w, i, j, c in np.ndindex(height, width, rows, columns, channels):
        source = _source_channel(i, j, c, rows, columns, channels, mode)
        y[:, h * rows + i, w * columns + j, c] = x[:, h, w, source]
    return y


def pixel_unshuffle(x, rows, columns, mode="DCR"):
    """`(n, h * rows, w * columns, c)` to `(n, h, w, c * rows * columns)`."""
    batch, height, width, channels = x.shape
    height, width = height // rows, width // columns
    y = np.zeros((batch, height, width, channels * rows * columns), x.dtype)
    for h, w, i, j, c in np.ndindex(height, width, rows, columns, channels):
        target = _source_channel(i, j, c, rows, columns, channels, mode)
        y[:, h, w, target] = x[:, h * rows + i, w * columns + j, c]
    return y
