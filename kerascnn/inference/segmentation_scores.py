"""Scores of segmentation models."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.spatial import KDTree

from kerascnn.arguments import UsageError
from kerascnn.ops.ignored import IGNORED


class SegmentationScores:
    """Scores of predicted masks, accumulated image by image.

    Only sums are kept, so that any number of images fits into memory. Pixels that are `IGNORED` in
    the truth do not affect the scores, nor do boundaries with them.

    In each image, the boundary of a class consists of its pixels that have another class above,
    below, to the left or to the right. Its precision is the fraction of the predicted boundary that
    is closer to the true boundary than the tolerance, its recall the fraction of the true boundary
    that is closer to the predicted boundary than the tolerance, and the boundary F1 their harmonic
    mean, which is 0 if one of the boundaries is missing. Ignored pixels have no class, so a class
    has no boundary with them, and two classes that are separated by ignored pixels have no boundary
    with each other.

    Args:
        class_names: names of the classes, at most 255.
        boundary_tolerance: float above 0, the tolerance as a fraction of the image's diagonal.

    Raises:
        ValueError: if there are no classes or too many, or if the tolerance is not above 0.

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

    def __init__(self, class_names: Sequence[str], boundary_tolerance: float = 0.0075) -> None:
        self.class_names = list(class_names)
        if not 1 <= len(self.class_names) <= IGNORED:
            raise UsageError(
                f"`class_names` must be from 1 to {IGNORED} names, because the label {IGNORED} is "
                f"ignored; got {len(self.class_names)}."
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

    def add(self, truth: np.ndarray, predicted: np.ndarray) -> None:
        """Adds an image.

        Args:
            truth: int array of shape `(height, width)`, class indices or `IGNORED`.
            predicted: int array of the same shape, class indices.

        Raises:
            ValueError: if the shapes differ, or if a value is not a class index.
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
    def confusion_matrix(self) -> np.ndarray:
        """Int array of pixel counts by true class (rows) and predicted class (columns)."""
        return self._matrix.copy()

    def metrics(self) -> dict[str, Any]:
        """Computes the scores for `metrics.json`; undefined scores are `None`.

        Returns:
            dict: `mean_iou` over all images, averaged over the classes that occur in the truth or
            in a prediction; `class_average_accuracy`, the mean recall of the classes that occur in
            the truth; `global_accuracy`, the fraction of correct pixels; `boundary_f1`, the mean
            over the classes that have one; `num_images`; `num_pixels`, without ignored pixels.
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

    def per_class(self) -> list[dict[str, Any]]:
        """Computes the scores of each class.

        Returns:
            list with a dict for each class, in order: `class_name`; `iou`, the correct pixels of
            the class divided by all pixels that are or were predicted as the class; `accuracy`, the
            fraction of the class that was predicted correctly, also called recall; `precision`, the
            fraction of predictions of the class that are correct; `boundary_f1`, the mean over the
            images with the class, except images without a true or predicted boundary; `pixels`, its
            number of pixels in the truth. Undefined scores are `None`.
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


def image_iou(truth: np.ndarray, predicted: np.ndarray, num_classes: int) -> float:
    """Computes the mean IoU of one image.

    Args:
        truth: int array of shape `(height, width)`, class indices or `IGNORED`.
        predicted: int array of the same shape, class indices.
        num_classes: int.

    Returns:
        float, the mean over the classes that occur in the truth or the prediction, without ignored
        pixels; 1 if all pixels are ignored.

    Raises:
        ValueError: if the shapes differ, or if a value is not a class index.

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
            "`truth` and `predicted` must have the same shape (height, width); "
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
                f"`{name}` must have class indices from 0 to {classes - 1}{also}; got {wrong[0]}."
            )
    return truth.astype(np.int64), predicted.astype(np.int64)


def _count(truth, predicted, classes):
    counted = truth != IGNORED
    pairs = truth[counted] * classes + predicted[counted]
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def _edges(mask):
    """Returns where a pixel has a neighbor of another class, except ignored neighbors."""
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
    """Returns the F1 of two boundaries, arrays `(pixels, 2)`; `None` if both are empty."""
    if not len(true) and not len(predicted):
        return None
    if not len(true) or not len(predicted):
        return 0.0
    precision = _near(predicted, true, tolerance)
    recall = _near(true, predicted, tolerance)
    return 2 * precision * recall / (precision + recall) if precision else 0.0


def _near(places, others, tolerance):
    """Returns the fraction of positions that are closer to one of the others than the tolerance."""
    # For some thousand positions, a tree is several times faster than a distance transform of the
    # whole image for each class.
    distances, _ = KDTree(others).query(places, distance_upper_bound=tolerance)
    return float((distances < tolerance).mean())


def _share(part, whole):
    return float(part / whole) if whole else None


def _mean(values):
    values = [value for value in values if value is not None]
    return sum(values) / len(values) if values else None
