"""Cropping, pixel by pixel."""

import numpy as np

from kerascnn.reference.windows import pair


def crop_like2d(x, like, offset=0):
    """Crops `x` `(n, h, w, c)` from `offset` on to the height and width of the image `like`."""
    top, left = pair(offset)
    _, height, width, _ = like.shape
    y = np.zeros((len(x), height, width, x.shape[-1]), x.dtype)
    for h in range(height):
        for w in range(width):
            y[:, h, w] = x[:, top + h, left + w]
    return y


def crop_like2d_backward(dy, x, offset=0):
    """Gradient `dx`: zero for cropped pixels."""
    top, left = pair(offset)
    _, height, width, _ = dy.shape
    dx = np.zeros(x.shape, dy.dtype)
    for h in range(height):
        for w in range(width):
            dx[:, top + h, left + w] = dy[:, h, w]
    return dx
