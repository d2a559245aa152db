"""The Neocognitron, cell by cell: its later form of 2003 to 2013, and its form of 1980."""

from math import ceil, exp, hypot, sqrt

import numpy as np

from kerascnn.reference.windows import pair, place_windows, windows

_EPSILON = 1e-12


def _gaussian(kernel_size, sigma):
    """`exp(-distance**2 / (2 * sigma**2))` from the center of the window, with sum 1."""
    rows, columns = pair(kernel_size)
    weights = np.zeros((rows, columns))
    for i, j in np.ndindex(rows, columns):
        distance = hypot(i - (rows - 1) / 2, j - (columns - 1) / 2)
        weights[i, j] = exp(-(distance**2) / (2 * sigma**2))
    return weights / weights.sum()


def _decaying(kernel_size, decay):
    """`decay**distance` from the center of the window."""
    rows, columns = pair(kernel_size)
    weights = np.zeros((rows, columns))
    for i, j in np.ndindex(rows, columns):
        weights[i, j] = decay ** hypot(i - (rows - 1) / 2, j - (columns - 1) / 2)
    return weights


def _windows(x, kernel_size, strides, padding):
    """The number of windows of `x` `(n, h, w, c)` along each axis, and `(h, w, window)` of each."""
    pads, counts = place_windows(x.shape[1:3], kernel_size, strides, padding)
    padded = np.pad(x, ((0, 0), *pads, (0, 0)))
    return counts, (
        (h, w, padded[:, rows, columns])
        for h, w, rows, columns in windows(counts, kernel_size, strides)
    )


def contrast_extraction2d(x, kernel_size=7, center=0.65, surround=1.3, padding="same"):
    """Computes off-center planes, then on-center planes, of `x` `(n, h, w, c)`.

    The weights `a` are a Gaussian minus a wider one, scaled so that the positive weights have the
    sum 1; an on-center cell is `max(sum(a * window), 0)`, an off-center cell
    `max(-sum(a * window), 0)`.
    """
    a = _gaussian(kernel_size, center) - _gaussian(kernel_size, surround)
    a = a / a[a > 0].sum()
    counts, places = _windows(x, kernel_size, 1, padding)
    z = np.zeros((len(x), *counts, x.shape[-1]))
    for h, w, window in places:
        for i, j in np.ndindex(a.shape):
            z[:, h, w] += a[i, j] * window[:, i, j]
    return np.concatenate([np.maximum(-z, 0), np.maximum(z, 0)], axis=-1)


def s_cells2d(x, kernel, threshold=0.5, power=1.0, sigma=1.0, strides=1, padding="same"):
    """`y = |x|**power * max(s - threshold, 0) / (1 - threshold)` for every window and reference.

    `s = <x, X> / (|x| * |X|)`, and `<x, X>` is the sum of the products, weighted by a Gaussian over
    the window; `kernel` is `(rows, columns, channels, references)`.
    """
    g = _gaussian(kernel.shape[:2], sigma)[:, :, None]
    counts, places = _windows(x, kernel.shape[:2], strides, padding)
    y = np.zeros((len(x), *counts, kernel.shape[-1]))
    for h, w, window in places:
        for n, k in np.ndindex(len(x), kernel.shape[-1]):
            reference = kernel[..., k]
            length = sqrt((g * window[n] ** 2).sum() + _EPSILON)
            reference_length = sqrt((g * reference**2).sum() + _EPSILON)
            s = (g * window[n] * reference).sum() / (length * reference_length)
            y[n, h, w, k] = length**power * max(s - threshold, 0) / (1 - threshold)
    return y


def c_cells2d(x, sigma=1.0, strides=2, kernel_size=None, padding="same"):
    """Computes the root mean square of every window and plane, weighted by a Gaussian."""
    size = pair(2 * ceil(2 * sigma) + 1 if kernel_size is None else kernel_size)
    a = _gaussian(size, sigma)
    counts, places = _windows(x, size, strides, padding)
    y = np.zeros((len(x), *counts, x.shape[-1]))
    for h, w, window in places:
        for i, j in np.ndindex(a.shape):
            y[:, h, w] += a[i, j] * window[:, i, j] ** 2
    return np.sqrt(y + _EPSILON) - sqrt(_EPSILON)


def interpolating_vectors(x, vectors, counts, neighbors=10):
    """Computes the cosine of each row of `x` to the best mixture of two vectors of each class.

    `vectors` are unit vectors, ordered by class. Only the `neighbors` nearest vectors of a class
    are mixed. A class without vectors has a score of -1.
    """
    scores = np.full((len(x), len(counts)), -1.0)
    for n, row in enumerate(x):
        unit = row / sqrt((row**2).sum() + _EPSILON)
        first = 0
        for c, count in enumerate(counts):
            own = vectors[first : first + count]
            first += count
            nearest = sorted(own, key=lambda vector: -(unit @ vector))[:neighbors]
            for one in nearest:
                for other in nearest:
                    scores[n, c] = max(
                        scores[n, c], _mixture(unit @ one, unit @ other, one @ other)
                    )
    return scores


def _mixture(s_i, s_j, g):
    """The cosine of the best mixture of two vectors with non-negative weights."""
    if s_i > g * s_j and s_j > g * s_i and 1 - g**2 > 1e-4:
        return sqrt(max((s_i**2 + s_j**2 - 2 * g * s_i * s_j) / (1 - g**2), _EPSILON))
    return max(s_i, s_j)


def _positions(size, count, spacing):
    """The pixels at the centers of the cells along an axis, `spacing` apart."""
    first = (size - 1 - spacing * (count - 1)) / 2
    return [min(max(ceil(first + spacing * i - 0.5 - 1e-4), 0), size - 1) for i in range(count)]


def _cells(x, kernel_size, output_size, spacing):
    """The number of cells over an image along each axis, and `(h, w, window)` of each."""
    counts = x.shape[1:3] if output_size is None else pair(output_size)
    _, places = _windows(x, kernel_size, 1, "same")
    found = {(h, w): window for h, w, window in places}
    rows, columns = (
        range(size) if output_size is None else _positions(size, count, spacing)
        for size, count in zip(x.shape[1:3], counts, strict=True)
    )
    return counts, ((h, w, found[rows[h], columns[w]]) for h, w in np.ndindex(*counts))


def shunting_s_cells2d(
    x, kernel, inhibition, selectivity=4.0, decay=0.9, output_size=None, spacing=1.0
):
    """Equations 1 to 3 of 1980: `r * phi((1 + e) / (1 + 2 * r / (1 + r) * b * v) - 1)`.

    `e` is the sum of `a * u`, and `v` the root of the sum of `c * u**2`, over the window and all
    planes `u` of `x` `(n, h, w, planes)`; `a` is `kernel`, `b` `inhibition`.
    """
    r = selectivity
    c = _decaying(kernel.shape[:2], decay)[:, :, None]
    c = c / (c.sum() * kernel.shape[2])
    counts, cells = _cells(x, kernel.shape[:2], output_size, spacing)
    y = np.zeros((len(x), *counts, kernel.shape[-1]))
    for h, w, window in cells:
        for n, k in np.ndindex(len(x), kernel.shape[-1]):
            e = (kernel[..., k] * window[n]).sum()
            v = sqrt((c * window[n] ** 2).sum() + _EPSILON)
            y[n, h, w, k] = r * max((1 + e) / (1 + 2 * r / (1 + r) * inhibition[k] * v) - 1, 0)
    return y


def shunting_c_cells2d(x, kernel_size=5, alpha=0.5, decay=0.8, output_size=None, spacing=1.0):
    """Equations 4 to 6 of 1980: `psi((1 + e) / (1 + mean of e over the planes) - 1)`.

    `e` is the sum of `d * u` over the window of a plane `u` of `x` `(n, h, w, planes)`, and
    `psi(z) = phi(z) / (alpha + phi(z))` with `phi(z) = max(z, 0)`.
    """
    d = _decaying(kernel_size, decay)
    counts, cells = _cells(x, kernel_size, output_size, spacing)
    y = np.zeros((len(x), *counts, x.shape[-1]))
    for h, w, window in cells:
        for n in range(len(x)):
            e = (d[:, :, None] * window[n]).sum(axis=(0, 1))
            z = np.maximum((1 + e) / (1 + e.mean()) - 1, 0)
            y[n, h, w] = z / (alpha + z)
    return y
