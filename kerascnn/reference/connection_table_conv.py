"""Convolution with a connection table, one kernel after the other."""

import numpy as np

from kerascnn.reference.windows import place_windows, windows


def _connections(table):
    """`(connection, channel, filter)`, in the order of the kernels."""
    pairs = [(channel, o) for o, row in enumerate(table) for channel in row]
    return [(n, channel, o) for n, (channel, o) in enumerate(pairs)]


def connection_table_conv2d(x, kernel, bias, table, strides=(1, 1), padding="valid"):
    """Convolves `x` `(n, h, w, c)` with `kernel` `(kh, kw, connections)`.

    On the padded image, `y[h, w, o]` is `bias[o]` and the sum over `i, j` and the connections of
    filter `o` of `x[h * stride + i, w * stride + j, channel] * kernel[i, j, connection]`, where
    `table[o]` lists the channels.
    """
    pads, counts = place_windows(x.shape[1:3], kernel.shape[:2], strides, padding)
    padded = np.pad(x, [(0, 0), *pads, (0, 0)])
    y = np.zeros((len(x), *counts, len(table)), np.result_type(x, kernel)) + bias
    for h, w, rows, columns in windows(counts, kernel.shape[:2], strides):
        for n, channel, o in _connections(table):
            y[:, h, w, o] += (padded[:, rows, columns, channel] * kernel[..., n]).sum(axis=(1, 2))
    return y


def connection_table_conv2d_backward(dy, x, kernel, table, strides=(1, 1), padding="valid"):
    """Gradients `(dx, dkernel, dbias)`.

    `dy[h, w, o]` flows only along the connections of filter `o`: to each pixel times its weight,
    and to each weight times its pixel.
    """
    pads, counts = place_windows(x.shape[1:3], kernel.shape[:2], strides, padding)
    padded = np.pad(x, [(0, 0), *pads, (0, 0)])
    dpadded = np.zeros(padded.shape, np.result_type(dy, kernel))
    dkernel = np.zeros(kernel.shape, np.result_type(dy, x))
    for h, w, rows, columns in windows(counts, kernel.shape[:2], strides):
        for n, channel, o in _connections(table):
            upstream = dy[:, h, w, o][:, None, None]
            dpadded[:, rows, columns, channel] += upstream * kernel[..., n]
            dkernel[..., n] += (upstream * padded[:, rows, columns, channel]).sum(axis=0)
    (top, _), (left, _) = pads
    dx = dpadded[:, top : top + x.shape[1], left : left + x.shape[2]]
    return dx, dkernel, dy.sum(axis=(0, 1, 2))
