"""Group convolution in loops; with one group it is the ordinary convolution."""

import numpy as np


def _padding(size, kernel_size, stride, dilation, padding):
    """Zeros before and after an axis; "same" makes the output `ceil(size / stride)` long."""
    if padding == "valid":
        return 0, 0
    window = (kernel_size - 1) * dilation + 1
    total = max((-(-size // stride) - 1) * stride + window - size, 0)
    return total // 2, total - total // 2


def _windows(x, kernel, strides, padding, dilation):
    """Pads `x` and lists `(h, w, rows, columns)`: which padded pixels output pixel (h, w) sees."""
    pads = [
        _padding(x.shape[axis + 1], kernel.shape[axis], strides[axis], dilation[axis], padding)
        for axis in (0, 1)
    ]
    padded = np.pad(x, [(0, 0), *pads, (0, 0)])
    reach = [(kernel.shape[axis] - 1) * dilation[axis] + 1 for axis in (0, 1)]
    height, width = [(padded.shape[axis + 1] - reach[axis]) // strides[axis] + 1 for axis in (0, 1)]
    windows = []
    for h, w in np.ndindex(height, width):
        top, left = h * strides[0], w * strides[1]
        rows = slice(top, top + reach[0], dilation[0])
        columns = slice(left, left + reach[1], dilation[1])
        windows.append((h, w, rows, columns))
    return padded, pads, windows, (height, width)


def group_conv2d(x, kernel, strides=(1, 1), padding="valid", dilation=(1, 1)):
    """Convolves `x` `(n, h, w, c)` with `kernel` `(kh, kw, c / groups, filters)`."""
    padded, _, windows, (height, width) = _windows(x, kernel, strides, padding, dilation)
    per_group, filters = kernel.shape[2:]
    filters_per_group = filters // (x.shape[-1] // per_group)
    y = np.zeros((len(x), height, width, filters), x.dtype)
    for h, w, rows, columns in windows:
        for o in range(filters):
            first = o // filters_per_group * per_group
            patch = padded[:, rows, columns, first : first + per_group]
            y[:, h, w, o] = (patch * kernel[..., o]).sum(axis=(1, 2, 3))
    return y


def group_conv2d_backward(dy, x, kernel, strides=(1, 1), padding="valid", dilation=(1, 1)):
    """Gradients `(dx, dkernel)`.

    Output `o` at `(h, w)` is a sum of products of pixels and weights, so `dy[h, w, o]` flows to
    each pixel times its weight, and to each weight times its pixel.
    """
    padded, pads, windows, _ = _windows(x, kernel, strides, padding, dilation)
    per_group, filters = kernel.shape[2:]
    filters_per_group = filters // (x.shape[-1] // per_group)
    dpadded, dkernel = np.zeros_like(padded), np.zeros_like(kernel)
    for h, w, rows, columns in windows:
        for o in range(filters):
            channels = slice(
                o // filters_per_group * per_group, (o // filters_per_group + 1) * per_group
            )
            upstream = dy[:, h, w, o][:, None, None, None]
            dpadded[:, rows, columns, channels] += upstream * kernel[..., o]
            dkernel[..., o] += (upstream * padded[:, rows, columns, channels]).sum(axis=0)
    (top, _), (left, _) = pads
    return dpadded[:, top : top + x.shape[1], left : left + x.shape[2]], dkernel
