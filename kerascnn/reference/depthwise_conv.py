"""Depthwise convolution: a group convolution in which every channel is a group."""

from kerascnn.reference.group_conv import group_conv2d, group_conv2d_backward


def _grouped(kernel):
    """`kernel` `(kh, kw, c, m)` as `(kh, kw, 1, c * m)`: the filters of channel 0 come first."""
    return kernel.reshape(*kernel.shape[:2], 1, -1)


def depthwise_conv2d(x, kernel, strides=(1, 1), padding="valid", dilation=(1, 1)):
    """Filters each channel of `x` `(n, h, w, c)` with its own `kernel` `(kh, kw, c, m)`."""
    return group_conv2d(x, _grouped(kernel), strides, padding, dilation)


def depthwise_conv2d_backward(dy, x, kernel, strides=(1, 1), padding="valid", dilation=(1, 1)):
    """Gradients `(dx, dkernel)`, from the group convolution."""
    dx, dkernel = group_conv2d_backward(dy, x, _grouped(kernel), strides, padding, dilation)
    return dx, dkernel.reshape(kernel.shape)
