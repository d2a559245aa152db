"""Labels that are no class: the error of Keras's own loss, or NaN, and never a number."""

import keras
import numpy as np
import pytest

from kerascnn.losses import (
    CrossEntropy,
    DiceLoss,
    FocalLoss,
    LovaszSoftmax,
    PixelCrossEntropy,
    RBFLoss,
)
from kerascnn.metrics import MeanIoU, accuracy

BACKEND = keras.backend.backend()
CLASSES = 5
RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(4, CLASSES)).astype("float32")
MAPS = RNG.normal(size=(2, 3, 4, CLASSES)).astype("float32")
IMAGE_LOSSES = [CrossEntropy(), CrossEntropy(0.1), RBFLoss()]
PIXEL_LOSSES = [
    PixelCrossEntropy(),
    PixelCrossEntropy([1.0] * CLASSES, 0.1),
    FocalLoss(),
    DiceLoss(),
    LovaszSoftmax(),
]
on_tensorflow = pytest.mark.skipif(BACKEND != "tensorflow", reason="errors and XLA of TensorFlow")


def has_gpu():
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


def masks(label):
    found = RNG.integers(CLASSES, size=(2, 3, 4))
    found[1, 2, 3] = label
    return found


def cases(label):
    labels = np.array([0, 1, label, 2])
    yield from ((loss, labels, LOGITS) for loss in IMAGE_LOSSES)
    yield from ((loss, masks(label), MAPS) for loss in PIXEL_LOSSES)


@on_tensorflow
@pytest.mark.parametrize("label", [CLASSES, -1, 254])
def test_an_error_on_the_cpu_of_tensorflow_as_with_keras(label):
    import tensorflow as tf

    if has_gpu():
        pytest.skip("a GPU gives NaN")
    theirs = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    with pytest.raises(tf.errors.InvalidArgumentError):
        theirs(np.array([0, 1, label, 2]), LOGITS)
    for loss, truth, logits in cases(label):
        with pytest.raises(tf.errors.InvalidArgumentError):
            loss(truth, logits)
        with pytest.raises(tf.errors.InvalidArgumentError):
            tf.function(loss)(tf.constant(truth), tf.constant(logits))
    with pytest.raises(tf.errors.InvalidArgumentError):
        MeanIoU(CLASSES).update_state(masks(label), MAPS)


@on_tensorflow
@pytest.mark.parametrize("label", [CLASSES, -1])
def test_nan_under_xla_as_with_keras(label):
    import tensorflow as tf

    theirs = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    for loss, truth, logits in [
        (theirs, np.array([0, 1, label, 2]), LOGITS),
        *cases(label),
    ]:
        found = tf.function(loss, jit_compile=True)(tf.constant(truth), tf.constant(logits))
        assert np.isnan(found.numpy()), loss.name


@on_tensorflow
def test_fit_with_labels_from_1_fails():
    import tensorflow as tf

    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.Dense(CLASSES)(inputs))
    model.compile("sgd", CrossEntropy(), jit_compile=False)
    if not has_gpu():
        with pytest.raises(tf.errors.InvalidArgumentError):
            model.fit(np.ones((CLASSES, 3)), np.arange(CLASSES) + 1, verbose=0)


@pytest.mark.skipif(BACKEND == "tensorflow", reason="other backends")
@pytest.mark.parametrize("label", [CLASSES, -1])
def test_pixels_on_other_backends_are_an_error_or_nan(label):
    for loss in PIXEL_LOSSES:
        try:
            found = float(loss(masks(label), MAPS))
        except (IndexError, RuntimeError, ValueError):
            continue
        assert np.isnan(found), loss.name


@pytest.mark.parametrize("label", [CLASSES, -1])
def test_accuracy_never_takes_a_wrong_label_for_right(label):
    right = np.eye(CLASSES, dtype="float32")[[0, CLASSES - 1]]
    found = keras.ops.convert_to_numpy(accuracy(np.array([label, label]), right))
    np.testing.assert_array_equal(found, 0)


@pytest.mark.extra("torch")
def test_right_labels_give_pytorchs_numbers():
    import torch

    labels = np.array([0, 4, 2, 2])
    for smoothing in (0.0, 0.1):
        theirs = torch.nn.functional.cross_entropy(
            torch.tensor(LOGITS), torch.tensor(labels), label_smoothing=smoothing
        )
        np.testing.assert_allclose(
            float(CrossEntropy(smoothing)(labels, LOGITS)), float(theirs), rtol=1e-5
        )
    mask = masks(255)
    theirs = torch.nn.functional.cross_entropy(
        torch.tensor(MAPS.reshape(-1, CLASSES)), torch.tensor(mask.reshape(-1)), ignore_index=255
    )
    np.testing.assert_allclose(float(PixelCrossEntropy()(mask, MAPS)), float(theirs), rtol=1e-5)
