"""Maximum and average pooling over windows, channel by channel, and unpooling.

Padding only determines the positions of windows: a window at the border contains only pixels of the
image, and no zeros. `strides=None` means `pool_size`: windows without overlap.
"""

import numpy as np

from kerascnn.reference.windows import place_windows, windows


def _inside(pixels, before, length):
    """The part of a window on the padded axis inside the image, in image coordinates."""
    return slice(max(pixels.start - before, 0), min(pixels.stop - before, length))


def _pools(x, pool_size, strides, padding):
    """The output size, and `(h, w, rows, columns)`: the pixels that each output sees."""
    strides = pool_size if strides is None else strides
    height, width = x.shape[1:3]
    ((top, _), (left, _)), counts = place_windows((height, width), pool_size, strides, padding)
    pools = [
        (h, w, _inside(rows, top, height), _inside(columns, left, width))
        for h, w, rows, columns in windows(counts, pool_size, strides)
    ]
    return counts, pools


def max_pool2d(x, pool_size, strides=None, padding="valid"):
    """Returns the maximum of every window of `x` `(n, h, w, c)`, and its position.

    Returns `(y, indices)`, both `(n, outputs down, outputs across, c)`, with
    `indices = row * width + column` of the maximum in `x`, or of the first of equal pixels.
    """
    batch, _, width, channels = x.shape
    counts, pools = _pools(x, pool_size, strides, padding)
    y = np.zeros((batch, *counts, channels), x.dtype)
    indices = np.zeros(y.shape, int)
    for h, w, rows, columns in pools:
        pixels = x[:, rows, columns].reshape(batch, -1, channels)
        y[:, h, w] = pixels.max(axis=1)
        down, across = np.divmod(pixels.argmax(axis=1), columns.stop - columns.start)
        indices[:, h, w] = (rows.start + down) * width + columns.start + across
    return y, indices


def max_pool2d_backward(dy, x, pool_size, strides=None, padding="valid"):
    """Gradient `dx`.

    The output is a copy of the largest pixel, so the gradient flows only to that pixel; if windows
    overlap, a pixel collects the gradients of all windows in which it is the largest.
    """
    batch, height, width, channels = x.shape
    _, indices = max_pool2d(x, pool_size, strides, padding)
    dx = np.zeros((batch, height * width, channels), dy.dtype)
    for b, h, w, c in np.ndindex(dy.shape):
        dx[b, indices[b, h, w, c], c] += dy[b, h, w, c]
    return dx.reshape(x.shape)


def max_unpool2d(y, indices, height, width):
    """Returns each value of `y` to its position before `max_pool2d`; all other pixels are zero.

    `y` and `indices` are `(n, h, w, c)`; returns `x` `(n, height, width, c)` with
    `x[indices // width, indices % width] = y` for each image and channel.
    """
    x = np.zeros((len(y), height * width, y.shape[-1]), y.dtype)
    for b, h, w, c in np.ndindex(y.shape):
        x[b, indices[b, h, w, c], c] = y[b, h, w, c]
    return x.reshape(len(y), height, width, y.shape[-1])


def max_unpool2d_backward(dx, indices):
    """Gradient `dy`, for indices without duplicates.

    Every value was copied to one position, where its gradient is.
    """
    flat = dx.reshape(len(dx), -1, dx.shape[-1])
    dy = np.zeros(indices.shape, dx.dtype)
    for b, h, w, c in np.ndindex(indices.shape):
        dy[b, h, w, c] = flat[b, indices[b, h, w, c], c]
    return dy


def average_pool2d(x, pool_size, strides=None, padding="valid"):
    """Computes the mean of every window of `x` `(n, h, w, c)`, over the pixels inside the image."""
    counts, pools = _pools(x, pool_size, strides, padding)
    y = np.zeros((len(x), *counts, x.shape[-1]), np.result_type(x, 0.0))
    for h, w, rows, columns in pools:
        y[:, h, w] = x[:, rows, columns].mean(axis=(1, 2))
    return y


def average_pool2d_backward(dy, x, pool_size, strides=None, padding="valid"):
    """Gradient `dx`: each of the `m` pixels in a window has the weight `1 / m` in its mean."""
    _, pools = _pools(x, pool_size, strides, padding)
    dx = np.zeros(x.shape, dy.dtype)
    for h, w, rows, columns in pools:
        m = (rows.stop - rows.start) * (columns.stop - columns.start)
        dx[:, rows, columns] += dy[:, h, w][:, None, None] / m
    return dx
