import keras
import numpy as np
import pytest

from kerascnn.data import IGNORED
from kerascnn.metrics import MeanIoU

RNG = np.random.default_rng(0)
CLASSES = 4
LOGITS = 2 * RNG.normal(size=(2, 3, 4, CLASSES))
MASK = RNG.integers(CLASSES - 1, size=(2, 3, 4))  # the last class does not occur
MASK[0, 0, :2] = MASK[1, 2, 3] = IGNORED


def slow_mean_iou(mask, answers):
    ious = []
    for c in range(CLASSES):
        true = {i for i, t in enumerate(mask.flat) if t == c}
        taken = {i for i, a in enumerate(answers.flat) if a == c and mask.flat[i] != IGNORED}
        if true | taken:
            ious.append(len(true & taken) / len(true | taken))
    return np.mean(ious)


def test_mean_iou_is_that_of_all_pixels_together():
    metric = MeanIoU(CLASSES)
    assert metric.result() == 0
    answers = LOGITS.argmax(axis=-1)
    for image, mask in zip(LOGITS, MASK.astype("uint8"), strict=True):
        metric.update_state(mask[np.newaxis], image[np.newaxis])
    np.testing.assert_allclose(metric.result(), slow_mean_iou(MASK, answers), rtol=1e-6)
    theirs = keras.metrics.MeanIoU(CLASSES, ignore_class=IGNORED, sparse_y_pred=False)
    theirs.update_state(MASK, LOGITS)
    np.testing.assert_allclose(metric.result(), theirs.result(), rtol=1e-6)
    metric.reset_state()
    assert metric.result() == 0
    absent = np.where(answers == 0, 1, answers)  # class 3 is in the answers, class 0 in the truth
    metric.update_state(MASK[..., np.newaxis], np.eye(CLASSES)[absent])
    np.testing.assert_allclose(metric.result(), slow_mean_iou(MASK, absent), rtol=1e-6)


def test_mean_iou_does_not_overflow():
    metric = MeanIoU(2)
    mask = np.array([[[0, 0, 0, 1]]])
    for _ in range(2):
        metric.low.assign(metric.low + (2**30 - 2) * np.eye(2, dtype="int32"))
        metric.update_state(mask, np.eye(2)[[[[0, 0, 1, 1]]]])
        metric.low.assign(metric.low + (2**29) * np.array([[0, 1], [0, 0]], "int32"))
        metric.update_state(mask, np.eye(2)[[[[0, 0, 1, 1]]]])
    rights = [2 * (2**30 - 2) + 8, 2 * (2**30 - 2) + 4]
    wrong = 2 * 2**29 + 4
    expected = np.mean([right / (right + wrong) for right in rights])
    np.testing.assert_allclose(metric.result(), expected, rtol=1e-6)


def test_mean_iou_is_saved_with_a_model():
    metric = MeanIoU(7, name="iou")
    again = keras.metrics.deserialize(keras.metrics.serialize(metric))
    assert again.get_config() == metric.get_config()


def test_mean_iou_of_wrong_shapes():
    with pytest.raises(ValueError, match=r"logits of 3 classes; got shape \(2, 3, 4, 4\)"):
        MeanIoU(3).update_state(MASK, LOGITS)
    with pytest.raises(ValueError, match="got shapes"):
        MeanIoU(CLASSES).update_state(MASK[:, 1:], LOGITS)
    with pytest.raises(ValueError, match="`sample_weight` must be None"):
        MeanIoU(CLASSES).update_state(MASK, LOGITS, np.ones(2))
