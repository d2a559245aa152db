"""A fixed kernel, applied to every channel."""

import numpy as np

from kerascnn.reference.depthwise_conv import depthwise_conv2d, depthwise_conv2d_backward


def _for_every_channel(filter, x):
    return np.repeat(filter[:, :, None, None], x.shape[-1], axis=2)


def fixed_filter2d(x, filter, strides=(1, 1), padding="same"):
    """Applies `filter` `(kh, kw)` to each channel of `x` `(n, h, w, c)`."""
    return depthwise_conv2d(x, _for_every_channel(filter, x), strides, padding)


def fixed_filter2d_backward(dy, x, filter, strides=(1, 1), padding="same"):
    """Gradient `dx`; the filter is constant."""
    kernel = _for_every_channel(filter, x)
    return depthwise_conv2d_backward(dy, x, kernel, strides, padding)[0]
