"""Learning of the S-cells of 1980: the strongest cell of each area trains its plane."""

import numpy as np

from kerascnn.ops.shunting_cells import positions
from kerascnn.ops.weightings import decaying


class Representatives:
    """The S-cells of one stage of 1980, which learn from one image after the other.

    In every S-column, a square of positions across all planes, the strongest cell becomes a
    candidate. The strongest of several candidates in one plane is the plane's representative. With
    the inputs `u` and `v` of the representative, all cells of the plane learn `a += rate * c * u`
    and `b += rate / 2 * v`. A plane without a representative learns nothing.

    Args:
        layer: built `kerascnn.layers.ShuntingSCells2D`.
        rate: float, `q` of the paper.
        column: int, the height and width of an S-column.

    Reference:
        [Fukushima, 1980](https://doi.org/10.1007/BF00344251), section 3
    """

    def __init__(self, layer, rate, column):
        self.layer = layer
        self.rate = rate
        self.column = column
        self.kernel, self.inhibition = (np.array(w, "float64") for w in layer.get_weights())
        c = decaying(layer.kernel_size, layer.decay)[:, :, np.newaxis]
        self._c = np.broadcast_to(c / c.sum() / self.kernel.shape[2], self.kernel.shape[:3])
        self._learned = np.zeros(layer.filters, bool)

    @property
    def count(self):
        """The number of planes that have learned."""
        return int(self._learned.sum())

    def learn(self, planes):
        """Learns from the planes of one image, of shape `(height, width, channels)`.

        Returns:
            list of `(plane, row, column)` of the representatives.
        """
        windows = self._windows(np.asarray(planes, "float64"))
        found = self._representatives(self._answers(windows))
        for plane, row, column in found:
            u = windows[row, column]
            self.kernel[..., plane] += self.rate * self._c * u
            self.inhibition[plane] += self.rate / 2 * np.sqrt((self._c * u**2).sum())
            self._learned[plane] = True
        return found

    def _windows(self, planes):
        """Returns all inputs, `(rows, columns, kernel rows, kernel columns, channels)`."""
        size = self.layer.kernel_size
        before = [(side - 1) // 2 for side in size]
        pads = [(b, side - 1 - b) for b, side in zip(before, size, strict=True)]
        padded = np.pad(planes, (*pads, (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, size, (0, 1))
        if self.layer.output_size is not None:
            for axis, count in enumerate(self.layer.output_size):
                places = positions(planes.shape[axis], count, self.layer.spacing)
                windows = windows.take(places, axis)
        return windows.transpose(0, 1, 3, 4, 2)

    def _answers(self, windows):
        r = self.layer.selectivity
        e = np.tensordot(windows, self.kernel, 3)
        v = np.sqrt((self._c * windows**2).sum((2, 3, 4)))[..., np.newaxis]
        return r * np.maximum((1 + e) / (1 + 2 * r / (1 + r) * self.inhibition * v) - 1, 0)

    def _representatives(self, answers):
        rows, columns = answers.shape[:2]
        reach = self.column // 2, (self.column - 1) // 2
        best = {}
        for row, column in np.ndindex(rows, columns):
            top, left = max(row - reach[0], 0), max(column - reach[0], 0)
            inside = answers[top : row + reach[1] + 1, left : column + reach[1] + 1]
            i, j, plane = np.unravel_index(inside.argmax(), inside.shape)
            answer = inside[i, j, plane]
            if answer > best.get(plane, (0.0,))[0]:
                best[plane] = (answer, top + i, left + j)
        return [(int(plane), int(row), int(column)) for plane, (_, row, column) in best.items()]

    def weights(self):
        """Returns the weights of the layer: `[kernel, inhibition]`."""
        return [self.kernel.astype("float32"), self.inhibition.astype("float32")]
