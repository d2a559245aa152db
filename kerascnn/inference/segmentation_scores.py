"""How well a segmenter does."""

import numpy as np
from scipy.spatial import KDTree

from kerascnn.arguments import UsageError
from kerascnn.ops.ignored import IGNORED


class SegmentationScores:
    """Scores of masks, gathered image by image.

    It keeps sums only, so that any number of images fits into memory. Pixels that are `IGNORED` in
    the truth count nowhere: neither what was predicted there nor where they begin.

    A class has in each image a boundary: its pixels with another class above, below, to the left or
    to the right. There, precision is the share of the predicted boundary that is nearer than the
    tolerance to the true one, recall the share of the true boundary that is nearer than the
    tolerance to the predicted one, and the boundary F1 their harmonic mean, 0 if one of the
    boundaries is missing. An ignored pixel is of no class, so that nothing has a boundary towards
    it, and two classes with ignored pixels all between them have none at all.

    Args:
        class_names: names of the classes, at most 255.
        boundary_tolerance: float above 0, the tolerance as a share of the image's diagonal.

    Raises:
        ValueError: if there are no or too many classes, or if the tolerance is not above 0.

    Reference:
        boundary F1: [Csurka et al., 2013](https://doi.org/10.5244/C.27.32)

    Example:
        >>> import numpy as np
        >>> import kerascnn
        >>> scores = kerascnn.inference.SegmentationScores(["sky", "road"])
        >>> scores.add(truth=np.array([[0, 0, 1, 255]]), predicted=np.array([[0, 1, 1, 1]]))
        >>> scores.metrics()["mean_iou"]
        0.5
        >>> scores.confusion_matrix.tolist()
        [[1, 1], [0, 1]]
    """

    def __init__(self, class_names, boundary_tolerance=0.0075):
        self.class_names = list(class_names)
        if not 1 <= len(self.class_names) <= IGNORED:
            raise UsageError(
                f"`class_names` must be from 1 to {IGNORED} names, as the number {IGNORED} counts "
                f"nowhere; got {len(self.class_names)}."
            )
        if not boundary_tolerance > 0:
            raise UsageError(
                "`boundary_tolerance` must be a number above 0; "
                f"got boundary_tolerance={boundary_tolerance}."
            )
        self.boundary_tolerance = boundary_tolerance
        classes = len(self.class_names)
        self._matrix = np.zeros((classes, classes), np.int64)
        self._boundary_sums = np.zeros(classes)
        self._boundary_images = np.zeros(classes, np.int64)
        self._images = 0

    def add(self, truth, predicted):
        """Counts an image.

        Args:
            truth: int array of shape `(height, width)`, class numbers or `IGNORED`.
            predicted: int array of the same shape, class numbers.

        Raises:
            ValueError: if the shapes differ, or if a number is no class.
        """
        truth, predicted = _checked(truth, predicted, len(self.class_names))
        matrix = _count(truth, predicted, len(self.class_names))
        self._matrix += matrix
        self._images += 1
        tolerance = self.boundary_tolerance * np.hypot(*truth.shape)
        predicted = np.where(truth == IGNORED, IGNORED, predicted)
        edges_of_truth, edges_of_predicted = _edges(truth), _edges(predicted)
        for i in np.flatnonzero(matrix.sum(axis=1)):
            found = _boundary_f1(
                np.argwhere(edges_of_truth & (truth == i)),
                np.argwhere(edges_of_predicted & (predicted == i)),
                tolerance,
            )
            if found is not None:
                self._boundary_sums[i] += found
                self._boundary_images[i] += 1

    @property
    def confusion_matrix(self):
        """Int array: how many pixels of a class (row) were taken for which (column)."""
        return self._matrix.copy()

    def metrics(self):
        """The numbers for `metrics.json`; `None` where there is nothing to be a share of.

        Returns:
            dict: `mean_iou`, over the classes that occur in the truth or in a prediction, of all
            images together; `class_average_accuracy`, the mean share of its pixels that was found
            of each class that occurs in the truth; `global_accuracy`, the share of right pixels;
            `boundary_f1`, the mean over the classes that have one; `num_images`; `num_pixels`, of
            those that count.
        """
        rows = self.per_class()
        pixels = int(self._matrix.sum())
        return {
            "mean_iou": _mean(row["iou"] for row in rows),
            "class_average_accuracy": _mean(row["accuracy"] for row in rows),
            "global_accuracy": _share(self._matrix.trace(), pixels),
            "boundary_f1": _mean(row["boundary_f1"] for row in rows),
            "num_images": self._images,
            "num_pixels": pixels,
        }

    def per_class(self):
        """How well each class is found.

        Returns:
            list of a dict for each class, in their order: `class_name`; `iou`, the pixels that are
            rightly of the class as a share of those that are or were taken to be; `accuracy`, the
            share of the class that was found, also called recall; `precision`, the share of the
            class in what was taken for it; `boundary_f1`, the mean over the images in which the
            class occurs, without those in which it has no boundary and none was predicted;
            `pixels`, how many it has in the truth. What has nothing to be a share of is `None`.
        """
        rows = []
        for i, name in enumerate(self.class_names):
            right = self._matrix[i, i]
            true, taken = self._matrix[i].sum(), self._matrix[:, i].sum()
            rows.append(
                {
                    "class_name": name,
                    "iou": _share(right, true + taken - right),
                    "accuracy": _share(right, true),
                    "precision": _share(right, taken),
                    "boundary_f1": _share(self._boundary_sums[i], self._boundary_images[i]),
                    "pixels": int(true),
                }
            )
        return rows


def image_iou(truth, predicted, num_classes):
    """The mean IoU of one image, by which to sort the worst first.

    Args:
        truth: int array of shape `(height, width)`, class numbers or `IGNORED`.
        predicted: int array of the same shape, class numbers.
        num_classes: int.

    Returns:
        float, the mean over the classes that occur in the truth or the prediction, where the truth
        is not ignored; 1 if it is ignored everywhere, as nothing is wrong.

    Raises:
        ValueError: if the shapes differ, or if a number is no class.

    Example:
        >>> import numpy as np
        >>> import kerascnn
        >>> kerascnn.inference.image_iou(np.array([[0, 0, 2]]), np.array([[0, 2, 2]]), 3)
        0.5
    """
    matrix = _count(*_checked(truth, predicted, num_classes), num_classes)
    union = matrix.sum(axis=0) + matrix.sum(axis=1) - matrix.diagonal()
    occurs = union > 0
    return float((matrix.diagonal()[occurs] / union[occurs]).mean()) if occurs.any() else 1.0


def _checked(truth, predicted, classes):
    truth, predicted = np.asarray(truth), np.asarray(predicted)
    if truth.ndim != 2 or truth.shape != predicted.shape:
        raise UsageError(
            "`truth` and `predicted` must be of one shape (height, width); "
            f"got {truth.shape} and {predicted.shape}."
        )
    for name, mask, allowed, also in (
        ("truth", truth, truth != IGNORED, f", or {IGNORED}"),
        ("predicted", predicted, True, ""),
    ):
        if mask.dtype.kind not in "iu":
            raise UsageError(f"`{name}` must be an array of ints; got one of {mask.dtype}.")
        wrong = mask[allowed & ((mask < 0) | (mask >= classes))]
        if wrong.size:
            raise UsageError(
                f"`{name}` must hold class numbers from 0 to {classes - 1}{also}; got {wrong[0]}."
            )
    return truth.astype(np.int64), predicted.astype(np.int64)


def _count(truth, predicted, classes):
    counted = truth != IGNORED
    pairs = truth[counted] * classes + predicted[counted]
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def _edges(mask):
    """Where a pixel has a neighbor of another class, ignored ones aside."""
    edges = np.zeros(mask.shape, bool)
    for first, second in (
        ((slice(None), slice(None, -1)), (slice(None), slice(1, None))),
        ((slice(None, -1), slice(None)), (slice(1, None), slice(None))),
    ):
        differ = mask[first] != mask[second]
        differ &= (mask[first] != IGNORED) & (mask[second] != IGNORED)
        edges[first] |= differ
        edges[second] |= differ
    return edges


def _boundary_f1(true, predicted, tolerance):
    """F1 of two boundaries, arrays `(pixels, 2)` of places; `None` if both are empty."""
    if not len(true) and not len(predicted):
        return None
    if not len(true) or not len(predicted):
        return 0.0
    precision = _near(predicted, true, tolerance)
    recall = _near(true, predicted, tolerance)
    return 2 * precision * recall / (precision + recall) if precision else 0.0


def _near(places, others, tolerance):
    """The share of places that have one of the others nearer than the tolerance."""
    # Some thousand places in a tree are found several times faster than by a distance transform
    # of the whole image for each class.
    distances, _ = KDTree(others).query(places, distance_upper_bound=tolerance)
    return float((distances < tolerance).mean())


def _share(part, whole):
    return float(part / whole) if whole else None


def _mean(values):
    values = [value for value in values if value is not None]
    return sum(values) / len(values) if values else None
