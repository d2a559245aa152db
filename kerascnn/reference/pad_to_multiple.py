"""Padding to a multiple, pixel by pixel."""

import numpy as np

from kerascnn.reference.windows import pair


def _sources(size, multiple, margin, remainder, mode):
    """The pixel at each position of a padded axis; `None` for zeros."""
    count = size + 2 * margin
    while count % multiple != remainder:
        count += 1
    sources = []
    for position in range(-margin, count - margin):
        inside = 0 <= position < size
        if mode == "zeros":
            sources.append(position if inside else None)
            continue
        while size > 1 and not 0 <= position < size:  # reflects at one end and the other
            position = -position if position < 0 else 2 * (size - 1) - position
        sources.append(position if size > 1 else 0)
    return sources


def _pixels(shape, multiple, margin, remainder, mode):
    """`(row, column)` of the image for each pixel of the padded image, and the padded size."""
    axes = zip(shape, pair(multiple), pair(margin), pair(remainder), strict=True)
    rows, columns = (_sources(*axis, mode) for axis in axes)
    places = {
        (h, w): (row, column)
        for h, row in enumerate(rows)
        for w, column in enumerate(columns)
        if None not in (row, column)
    }
    return places, (len(rows), len(columns))


def pad_to_multiple2d(x, multiple, margin=0, remainder=0, mode="reflect"):
    """Pads `x` `(n, h, w, c)` to `size % multiple == remainder`, with a margin.

    `mode` is "reflect" or "zeros".
    """
    places, size = _pixels(x.shape[1:3], multiple, margin, remainder, mode)
    y = np.zeros((len(x), *size, x.shape[-1]), x.dtype)
    for (h, w), (row, column) in places.items():
        y[:, h, w] = x[:, row, column]
    return y


def pad_to_multiple2d_backward(dy, x, multiple, margin=0, remainder=0, mode="reflect"):
    """Gradient `dx`: a pixel collects the gradients of all its reflections."""
    dx = np.zeros(x.shape, dy.dtype)
    places, _ = _pixels(x.shape[1:3], multiple, margin, remainder, mode)
    for (h, w), (row, column) in places.items():
        dx[:, row, column] += dy[:, h, w]
    return dx
