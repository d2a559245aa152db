"""Sub-pixel convolution: a convolution, then a pixel shuffle."""

from kerascnn.reference.group_conv import group_conv2d, group_conv2d_backward
from kerascnn.reference.pixel_shuffle import pixel_shuffle, pixel_unshuffle


def subpixel_conv2d(x, kernel, bias, rows, columns, padding="same", mode="DCR"):
    """`x` `(n, h, w, c)` and `kernel` `(kh, kw, c, filters * rows * columns)` to
    `(n, h * rows, w * columns, filters)`."""
    y = group_conv2d(x, kernel, padding=padding) + bias
    return pixel_shuffle(y, rows, columns, mode)


def subpixel_conv2d_backward(dy, x, kernel, rows, columns, padding="same", mode="DCR"):
    """Gradients `(dx, dkernel, dbias)`: back through the shuffle, which only moves values."""
    dy = pixel_unshuffle(dy, rows, columns, mode)
    dx, dkernel = group_conv2d_backward(dy, x, kernel, padding=padding)
    return dx, dkernel, dy.sum(axis=(0, 1, 2))
