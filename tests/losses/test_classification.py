import keras
import numpy as np
import pytest

from kerascnn import layers
from kerascnn.losses import CrossEntropy, RBFLoss, loss_for
from kerascnn.metrics import accuracy

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(6, 4)).astype("float32") * 3
LABELS = np.array([0, 3, 1, 1, 2, 0])
MIXED = RNG.dirichlet(np.ones(4), size=6).astype("float32")


def slow_cross_entropy(target, logits):
    """Word for word: minus the sum of target times logarithm of softmax, row by row."""
    losses = []
    for p, z in zip(target, logits, strict=True):
        softmax = np.exp(z) / np.exp(z).sum()
        losses.append(-sum(p[c] * np.log(softmax[c]) for c in range(len(z))))
    return np.mean(losses)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("labels", [LABELS, LABELS[:, None], np.eye(4)[LABELS], MIXED])
def test_cross_entropy(labels, smoothing):
    target = np.eye(4)[labels.reshape(-1)] if labels.shape[-1] != 4 else labels
    target = target * (1 - smoothing) + smoothing / 4
    loss = float(CrossEntropy(smoothing)(labels, LOGITS))
    np.testing.assert_allclose(loss, slow_cross_entropy(target, LOGITS), rtol=1e-5)


def test_cross_entropy_is_kerass():
    ours, theirs = CrossEntropy(), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    np.testing.assert_allclose(ours(LABELS, LOGITS), theirs(LABELS, LOGITS), rtol=1e-6)
    theirs = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.2)
    np.testing.assert_allclose(CrossEntropy(0.2)(MIXED, LOGITS), theirs(MIXED, LOGITS), rtol=1e-5)


def test_rbf_loss_is_equation_9():
    distances, margin = np.abs(LOGITS), 0.5
    losses = []
    for d, label in zip(distances, LABELS, strict=True):
        losses.append(d[label] + np.log(np.exp(-margin) + sum(np.exp(-d[c]) for c in range(4))))
    loss = RBFLoss(margin)(LABELS, -distances)
    np.testing.assert_allclose(loss, np.mean(losses), rtol=1e-5)


def test_a_large_margin_is_cross_entropy():
    loss = RBFLoss(margin=100.0)(LABELS, LOGITS)
    np.testing.assert_allclose(loss, CrossEntropy()(LABELS, LOGITS), rtol=1e-5)


def test_rbf_loss_pulls_in_what_is_far_from_every_prototype():
    # Far from all, cross-entropy sees no difference; the margin still pulls.
    far = np.full((1, 4), -50.0, "float32")
    assert float(RBFLoss(1.0)(LABELS[:1], far)) > 45
    assert float(CrossEntropy()(LABELS[:1], far)) < 2


@pytest.mark.parametrize("labels", [LABELS, np.eye(4)[LABELS]])
def test_accuracy(labels):
    hits = keras.ops.convert_to_numpy(accuracy(labels, LOGITS))
    np.testing.assert_array_equal(hits, LOGITS.argmax(axis=-1) == LABELS)


def test_loss_for_a_model():
    plain = keras.Sequential([keras.Input((8,)), keras.layers.Dense(3)])
    radial = keras.Sequential([keras.Input((8,)), layers.RBFOutput(3)])
    assert isinstance(loss_for(plain, 0.1), CrossEntropy)
    assert loss_for(plain, 0.1).label_smoothing == 0.1
    assert isinstance(loss_for(radial, 0.1), RBFLoss)


def test_losses_are_saved_with_a_model():
    for loss in (CrossEntropy(0.1), RBFLoss(2.0)):
        again = keras.losses.deserialize(keras.losses.serialize(loss))
        assert again.get_config() == loss.get_config()


def test_wrong_numbers():
    with pytest.raises(ValueError, match="got label_smoothing=1"):
        CrossEntropy(1)
    with pytest.raises(ValueError, match="got margin=-1"):
        RBFLoss(-1)


@pytest.mark.parametrize("make", [CrossEntropy, RBFLoss])
def test_class_weights_multiply_the_losses_of_each_class(make):
    rng = np.random.default_rng(0)
    logits = -rng.uniform(0, 3, (6, 3)).astype("float32")
    labels = np.array([0, 1, 2, 2, 1, 0])
    weights = [0.5, 2.0, 0.0]
    plain = keras.ops.convert_to_numpy(make(reduction="none")(labels, logits))
    weighted = make(class_weights=weights, reduction="none")
    found = keras.ops.convert_to_numpy(weighted(labels, logits))
    np.testing.assert_allclose(found, plain * np.take(weights, labels), rtol=1e-6)
    mixed = np.full((6, 3), [0.5, 0.5, 0], "float32")  # as mixup makes them
    plain = keras.ops.convert_to_numpy(make(reduction="none")(mixed, logits))
    found = keras.ops.convert_to_numpy(weighted(mixed, logits))
    np.testing.assert_allclose(found, plain * 1.25, rtol=1e-6)
    again = type(weighted).from_config(weighted.get_config())
    assert again.class_weights == weights
    with pytest.raises(ValueError, match="a weight for each of the 3 classes; got 2"):
        make(class_weights=[1, 2])(labels, logits)
    with pytest.raises(ValueError, match="`class_weights` must be finite and at least 0"):
        make(class_weights=[1, -2, 3])
