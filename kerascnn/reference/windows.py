"""The positions of sliding windows: padding, strides and dilation.

Convolution, transposed convolution and pooling all slide a window over an image. Along each axis, a
window of `size` taps that are `dilation` pixels apart spans `(size - 1) * dilation + 1` pixels.
"""

import numpy as np


def pair(value):
    """Returns `value` as a pair `(height, width)`; an int means both."""
    return (value, value) if isinstance(value, int) else tuple(value)


def span(size, dilation):
    """Returns the number of pixels from the first to the last tap of a window."""
    return (size - 1) * dilation + 1


def same_padding(length, window, stride):
    """Returns `(before, after)` zeros for `ceil(length / stride)` windows; an odd zero is last."""
    outputs = -(-length // stride)
    total = max((outputs - 1) * stride + window - length, 0)
    return total // 2, total - total // 2


def explicit_padding(padding):
    """Returns `((top, bottom), (left, right))` from itself, a pair `(height, width)` or an int."""
    return tuple(pair(zeros) for zeros in pair(padding))


def place_windows(lengths, sizes, strides, padding, dilation=(1, 1)):
    """Places windows on an image of height and width `lengths`.

    Returns `(pads, counts)`: the zeros `((top, bottom), (left, right))` around the image, and the
    number of windows along each axis, `(before + length + after - span) // stride + 1`.
    """
    sizes, strides, dilation = pair(sizes), pair(strides), pair(dilation)
    spans = [span(*axis) for axis in zip(sizes, dilation, strict=True)]
    if padding == "valid":
        pads = explicit_padding(0)
    elif padding == "same":
        pads = tuple(same_padding(*axis) for axis in zip(lengths, spans, strides, strict=True))
    else:
        pads = explicit_padding(padding)
    counts = tuple((sum(pads[a]) + lengths[a] - spans[a]) // strides[a] + 1 for a in (0, 1))
    return pads, counts


def windows(counts, sizes, strides, dilation=(1, 1)):
    """Yields `(h, w, rows, columns)`: the pixels of the padded image in window `(h, w)`.

    Tap `(i, j)` is in row `h * stride + i * dilation` and column `w * stride + j * dilation`.
    """
    sizes, strides, dilation = pair(sizes), pair(strides), pair(dilation)
    for h, w in np.ndindex(*counts):
        rows, columns = (
            slice(start, start + span(size, step), step)
            for start, size, step in zip(
                (h * strides[0], w * strides[1]), sizes, dilation, strict=True
            )
        )
        yield h, w, rows, columns
