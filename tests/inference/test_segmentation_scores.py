import json

import numpy as np
import pytest
import sklearn.metrics

from kerascnn.data import IGNORED
from kerascnn.inference import SegmentationScores, image_iou

RNG = np.random.default_rng(0)
NAMES = ["a", "b", "c", "d", "e"]


def blobs(size, classes=4):
    """A mask of some rectangles; the last class occurs nowhere."""
    mask = np.full(size, RNG.integers(classes))
    for _ in range(6):
        y, x = (RNG.integers(side) for side in size)
        mask[y : y + RNG.integers(3, 12), x : x + RNG.integers(3, 12)] = RNG.integers(classes)
    return mask


def pairs(count=4, size=(24, 30)):
    found = []
    for _ in range(count):
        truth = blobs(size)
        predicted = np.roll(truth, RNG.integers(3, size=2), axis=(0, 1))
        predicted[3:9, 20:26] = RNG.integers(len(NAMES))
        truth[8:11, :12] = IGNORED
        found.append((truth.astype("uint8"), predicted))
    return found


PAIRS = pairs()


def scores_of(pairs, **kwargs):
    scores = SegmentationScores(NAMES, **kwargs)
    for truth, predicted in pairs:
        scores.add(truth, predicted)
    return scores


def all_pixels():
    truth, predicted = np.concatenate([np.reshape(pair, (2, -1)) for pair in PAIRS], axis=1)
    return truth[truth != IGNORED], predicted[truth != IGNORED]


def slow_boundary(mask, known, c):
    places = []
    for y, x in np.ndindex(mask.shape):
        if known[y, x] and mask[y, x] == c:
            for v, u in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                inside = 0 <= v < mask.shape[0] and 0 <= u < mask.shape[1]
                if inside and known[v, u] and mask[v, u] != c:
                    places.append((y, x))
                    break
    return places


def slow_boundary_f1(pairs, tolerance):
    """Place by place, as Csurka et al., 2013, say it. Returns it for each class."""
    found = []
    for c in range(len(NAMES)):
        of_images = []
        for truth, predicted in pairs:
            known = truth != IGNORED
            if not (truth == c).any():
                continue
            true, taken = slow_boundary(truth, known, c), slow_boundary(predicted, known, c)
            if not true and not taken:
                continue
            near = tolerance * np.hypot(*truth.shape)

            def share(places, others, near=near):
                hits = [any(np.hypot(y - v, x - u) < near for v, u in others) for y, x in places]
                return np.mean(hits) if hits else 0

            precision, recall = share(taken, true), share(true, taken)
            both = precision + recall
            of_images.append(2 * precision * recall / both if both else 0)
        found.append(np.mean(of_images) if of_images else None)
    return found


def test_confusion_matrix_is_scikit_learns():
    expected = sklearn.metrics.confusion_matrix(*all_pixels(), labels=range(5))
    matrix = scores_of(PAIRS).confusion_matrix
    assert matrix.dtype == np.int64
    np.testing.assert_array_equal(matrix, expected)


def test_metrics_are_scikit_learns():
    truth, predicted = all_pixels()
    metrics = scores_of(PAIRS).metrics()
    occur = np.union1d(truth, predicted)
    assert len(occur) == 5  # the last class only in the predictions
    ious = sklearn.metrics.jaccard_score(truth, predicted, average=None, labels=occur)
    np.testing.assert_allclose(metrics["mean_iou"], ious.mean())
    of_true = np.unique(truth)
    recalls = sklearn.metrics.recall_score(truth, predicted, average=None, labels=of_true)
    np.testing.assert_allclose(metrics["class_average_accuracy"], recalls.mean())
    np.testing.assert_allclose(
        metrics["global_accuracy"], sklearn.metrics.accuracy_score(truth, predicted)
    )
    assert metrics["num_images"] == len(PAIRS)
    assert metrics["num_pixels"] == len(truth)


def test_per_class_is_scikit_learns():
    truth, predicted = all_pixels()
    rows = scores_of(PAIRS).per_class()
    assert [row["class_name"] for row in rows] == NAMES
    for name, score in (
        ("iou", sklearn.metrics.jaccard_score),
        ("accuracy", sklearn.metrics.recall_score),
        ("precision", sklearn.metrics.precision_score),
    ):
        expected = score(truth, predicted, average=None, labels=range(5), zero_division=0)
        np.testing.assert_allclose([row[name] for row in rows[:4]], expected[:4])
    assert [row["pixels"] for row in rows] == np.bincount(truth, minlength=5).tolist()
    assert rows[4]["iou"] == rows[4]["precision"] == 0
    assert rows[4]["accuracy"] is rows[4]["boundary_f1"] is None


@pytest.mark.parametrize("tolerance", [0.0075, 0.03, 0.06])
def test_boundary_f1(tolerance):
    scores = scores_of(PAIRS, boundary_tolerance=tolerance)
    expected = slow_boundary_f1(PAIRS, tolerance)
    for row, value in zip(scores.per_class(), expected, strict=True):
        assert row["boundary_f1"] == (None if value is None else pytest.approx(value))
    known = [value for value in expected if value is not None]
    assert scores.metrics()["boundary_f1"] == pytest.approx(np.mean(known))
    assert 0 < np.mean(known) < 1


def boundary_f1(truth, predicted, tolerance=0.0075):
    return scores_of([(np.array(truth), np.array(predicted))], boundary_tolerance=tolerance)


def test_boundaries_worked_out_by_hand():
    # Diagonal 5: a tolerance of 0.2 is one pixel, which "nearer than" does not include.
    truth = [[0, 0, 1, 1]] * 3
    moved = [[0, 1, 1, 1]] * 3
    assert boundary_f1(truth, moved, 0.2).metrics()["boundary_f1"] == 0
    assert boundary_f1(truth, moved, 0.21).metrics()["boundary_f1"] == 1
    assert boundary_f1(truth, truth).metrics()["boundary_f1"] == 1
    # A boundary that was not found, and one that is none.
    nowhere = [[0, 0, 0, 0]] * 3
    assert [row["boundary_f1"] for row in boundary_f1(truth, nowhere).per_class()[:2]] == [0, 0]
    assert [row["boundary_f1"] for row in boundary_f1(nowhere, truth).per_class()[:2]] == [0, None]


def test_nothing_has_a_boundary_towards_what_is_ignored():
    truth = [[0, 0, IGNORED, 1, 1]]
    for predicted in ([[0, 0, 0, 1, 1]], [[0, 0, 4, 1, 1]]):
        scores = boundary_f1(truth, predicted)
        assert scores.metrics()["boundary_f1"] is None
        assert scores.metrics()["mean_iou"] == 1
    # One predicted off the ignored pixel is wrong.
    assert boundary_f1(truth, [[0, 1, 1, 1, 1]]).metrics()["boundary_f1"] == 0


def test_scores_are_plain_numbers():
    scores = scores_of(PAIRS)
    for found in (scores.metrics(), scores.per_class(), scores.confusion_matrix.tolist()):
        assert json.loads(json.dumps(found)) == found


def test_nothing_that_counts():
    empty = SegmentationScores(NAMES).metrics()
    assert [value for value in empty.values() if value is not None] == [0, 0]
    scores = scores_of([(np.full((4, 5), IGNORED), np.zeros((4, 5), int))])
    assert scores.metrics() == {**empty, "num_images": 1}
    assert all(row["iou"] is None and row["pixels"] == 0 for row in scores.per_class())
    assert scores_of([(np.zeros((0, 5), int), np.zeros((0, 5), int))]).metrics()["mean_iou"] is None


def test_the_confusion_matrix_is_a_copy():
    scores = scores_of(PAIRS)
    scores.confusion_matrix[:] = 0
    assert scores.confusion_matrix.sum() == scores.metrics()["num_pixels"]


def test_image_iou():
    for truth, predicted in PAIRS:
        expected = scores_of([(truth, predicted)]).metrics()["mean_iou"]
        np.testing.assert_allclose(image_iou(truth, predicted, len(NAMES)), expected)
    assert image_iou(np.full((2, 2), IGNORED), np.zeros((2, 2), int), 3) == 1


def test_wrong_masks():
    scores, zeros = SegmentationScores(NAMES), np.zeros((2, 3), int)
    with pytest.raises(
        ValueError, match=r"the same shape \(height, width\); got \(2, 3\) and \(3,"
    ):
        scores.add(zeros, zeros.T)
    with pytest.raises(ValueError, match="the same shape"):
        scores.add(zeros[None], zeros[None])
    with pytest.raises(ValueError, match="`truth` must have .* from 0 to 4, or 255; got 5."):
        scores.add(zeros + 5, zeros)
    with pytest.raises(ValueError, match="`predicted` must have .* from 0 to 4; got 255."):
        scores.add(zeros, zeros + IGNORED)
    with pytest.raises(ValueError, match="got -1"):
        scores.add(zeros, zeros - 1)
    with pytest.raises(ValueError, match="`predicted` must be an array of ints; got one of float"):
        image_iou(zeros, zeros / 1, 5)
    assert scores.metrics()["num_images"] == 0


def test_wrong_arguments():
    with pytest.raises(ValueError, match="from 1 to 255 names.*; got 0"):
        SegmentationScores([])
    with pytest.raises(ValueError, match="from 1 to 255 names.*; got 256"):
        SegmentationScores([str(i) for i in range(256)])
    with pytest.raises(ValueError, match="got boundary_tolerance=0"):
        SegmentationScores(NAMES, boundary_tolerance=0)
