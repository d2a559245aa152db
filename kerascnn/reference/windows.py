"""Where the windows of a sliding kernel lie: padding, strides and dilation.

Convolution, transposed convolution and pooling all slide a window over an image. Along each axis
a window of `size` taps that lie `dilation` pixels apart spans `(size - 1) * dilation + 1` pixels.
"""

import numpy as np


def pair(value):
    """Returns `value` as a pair `(height, width)`; an int stands for both."""
    return (value, value) if isinstance(value, int) else tuple(value)


def span(size, dilation):
    """Counts the pixels from the first to the last tap of a window."""
    return (size - 1) * dilation + 1


def same_padding(length, window, stride):
    """Zeros `(before, after)` that make `ceil(length / stride)` windows; an odd zero goes after."""
    outputs = -(-length // stride)
    total = max((outputs - 1) * stride + window - length, 0)
    return total // 2, total - total // 2


def explicit_padding(padding):
    """`((top, bottom), (left, right))`, given all four, a pair `(height, width)` or one int."""
    return tuple(pair(zeros) for zeros in pair(padding))


def place_windows(lengths, sizes, strides, padding, dilation=(1, 1)):
    """Lays windows over an image of height and width `lengths`.

    Returns `(pads, counts)`: the zeros `((top, bottom), (left, right))` around the image, and how
    many windows fit along each axis, `(before + length + after - span) // stride + 1`.
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
    """Yields `(h, w, rows, columns)`: which pixels of the padded image window `(h, w)` covers.

    Tap `(i, j)` is on row `h * stride + i * dilation` and on column `w * stride + j * dilation`.
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
