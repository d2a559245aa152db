"""Group convolution in loops; with one group it is an ordinary convolution."""

import numpy as np

from kerascnn.reference.windows import place_windows, windows


def _input_channels(o, x, kernel):
    """The channels of `x` in the group of filter `o`."""
    per_group, filters = kernel.shape[2:]
    groups = x.shape[-1] // per_group
    group = o // (filters // groups)
    return slice(group * per_group, (group + 1) * per_group)


def group_conv2d(x, kernel, strides=(1, 1), padding="valid", dilation=(1, 1)):
    """Convolves `x` `(n, h, w, c)` with `kernel` `(kh, kw, c / groups, filters)`.

    On the padded image, `y[h, w, o]` is the sum over `i, j, c` of
    `x[h * stride + i * dilation, w * stride + j * dilation, c] * kernel[i, j, c, o]`, where `c`
    runs over the channels of the group of filter `o`. `padding` is "valid", "same", or the number
    of zeros: an int, a pair `(height, width)` or `((top, bottom), (left, right))`.
    """
    pads, counts = place_windows(x.shape[1:3], kernel.shape[:2], strides, padding, dilation)
    padded = np.pad(x, [(0, 0), *pads, (0, 0)])
    filters = kernel.shape[-1]
    y = np.zeros((len(x), *counts, filters), np.result_type(x, kernel))
    for h, w, rows, columns in windows(counts, kernel.shape[:2], strides, dilation):
        for o in range(filters):
            patch = padded[:, rows, columns, _input_channels(o, x, kernel)]
            y[:, h, w, o] = (patch * kernel[..., o]).sum(axis=(1, 2, 3))
    return y


def group_conv2d_backward(dy, x, kernel, strides=(1, 1), padding="valid", dilation=(1, 1)):
    """Gradients `(dx, dkernel)`.

    Output `o` at `(h, w)` is a sum of products of pixels and weights, so `dy[h, w, o]` flows to
    each pixel times its weight, and to each weight times its pixel.
    """
    pads, counts = place_windows(x.shape[1:3], kernel.shape[:2], strides, padding, dilation)
    padded = np.pad(x, [(0, 0), *pads, (0, 0)])
    dpadded = np.zeros(padded.shape, np.result_type(dy, kernel))
    dkernel = np.zeros(kernel.shape, np.result_type(dy, x))
    for h, w, rows, columns in windows(counts, kernel.shape[:2], strides, dilation):
        for o in range(kernel.shape[-1]):
            channels = _input_channels(o, x, kernel)
            upstream = dy[:, h, w, o][:, None, None, None]
            dpadded[:, rows, columns, channels] += upstream * kernel[..., o]
            dkernel[..., o] += (upstream * padded[:, rows, columns, channels]).sum(axis=0)
    (top, _), (left, _) = pads
    return dpadded[:, top : top + x.shape[1], left : left + x.shape[2]], dkernel
