import keras
import numpy as np
import pytest
from keras import ops

from kerascnn import training
from kerascnn.data import IGNORED
from kerascnn.losses import (
    DiceLoss,
    FocalLoss,
    LossSum,
    LovaszSoftmax,
    PixelCrossEntropy,
    dense_loss,
)
from kerascnn.metrics import MeanIoU
from tests.gradients import value_and_gradients
from tests.reference.finite_differences import numeric_gradients

RNG = np.random.default_rng(0)
CLASSES = 4
LOGITS = 2 * RNG.normal(size=(2, 3, 4, CLASSES))
MASK = RNG.integers(CLASSES - 1, size=(2, 3, 4))  # the last class does not occur
MASK[0, 0, :2] = MASK[1, 2, 3] = IGNORED
WEIGHTS = [0.5, 2.0, 0.0, 3.0]


def softmax(z):
    return np.exp(z) / np.exp(z).sum()


def counted(mask, logits):
    """Class number and probabilities of each pixel that counts."""
    pixels = [(t, softmax(z)) for t, z in zip(mask.flat, logits.reshape(-1, CLASSES), strict=True)]
    return [(t, p) for t, p in pixels if t != IGNORED]


def slow_cross_entropy(mask, logits, weights=(1,) * CLASSES, smoothing=0.0):
    """Word for word as the docstring says."""
    total = weight = 0.0
    for t, p in counted(mask, logits):
        spread = sum(-weights[c] * np.log(p[c]) for c in range(CLASSES)) / CLASSES
        total += (1 - smoothing) * -weights[t] * np.log(p[t]) + smoothing * spread
        weight += weights[t]
    return total / weight


def slow_focal(mask, logits, gamma, weights=(1,) * CLASSES):
    total = weight = 0.0
    for t, p in counted(mask, logits):
        total += -weights[t] * (1 - p[t]) ** gamma * np.log(p[t])
        weight += weights[t]
    return total / weight


def slow_dice(mask, logits, smooth):
    losses = []
    for c in range(CLASSES):
        common = squares = pixels = 0.0
        for t, p in counted(mask, logits):
            common += p[c] * (t == c)
            squares += p[c] ** 2
            pixels += t == c
        if pixels:
            losses.append(1 - (2 * common + smooth) / (squares + pixels + smooth))
    return np.mean(losses)


def jaccard_loss(truths, wrong):
    """Of a class of which the pixels `wrong` are wrong: one minus the IoU."""
    mistaken = sum(1 for i in wrong if not truths[i])
    missed = sum(1 for i in wrong if truths[i])
    pixels = sum(truths)
    return 1 - (pixels - missed) / (pixels + mistaken)


def slow_lovasz(mask, logits):
    """Berman et al., 2018, definition 1: between the corners of the cube, sorted by the errors."""
    pixels, losses = counted(mask, logits), []
    for c in range(CLASSES):
        truths = [t == c for t, _ in pixels]
        if any(truths):
            errors = [1 - p[c] if t == c else p[c] for t, p in pixels]
            order = sorted(range(len(pixels)), key=lambda i: -errors[i])
            losses.append(
                sum(
                    errors[i]
                    * (jaccard_loss(truths, order[: k + 1]) - jaccard_loss(truths, order[:k]))
                    for k, i in enumerate(order)
                )
            )
    return np.mean(losses)


CASES = [
    (PixelCrossEntropy(), slow_cross_entropy),
    (PixelCrossEntropy(WEIGHTS), lambda *x: slow_cross_entropy(*x, WEIGHTS)),
    (PixelCrossEntropy(None, 0.2), lambda *x: slow_cross_entropy(*x, smoothing=0.2)),
    (PixelCrossEntropy(WEIGHTS, 0.2), lambda *x: slow_cross_entropy(*x, WEIGHTS, 0.2)),
    (FocalLoss(), lambda *x: slow_focal(*x, 2)),
    (FocalLoss(0.5, WEIGHTS), lambda *x: slow_focal(*x, 0.5, WEIGHTS)),
    (FocalLoss(0, WEIGHTS), lambda *x: slow_cross_entropy(*x, WEIGHTS)),
    (DiceLoss(), lambda *x: slow_dice(*x, 1)),
    (DiceLoss(0), lambda *x: slow_dice(*x, 0)),
    (LovaszSoftmax(), slow_lovasz),
    (
        LossSum([DiceLoss(), LovaszSoftmax()]),
        lambda *x: slow_dice(*x, 1) + slow_lovasz(*x),
    ),
]
LOSSES = [loss for loss, _ in CASES]


@pytest.mark.parametrize(("loss", "slow"), CASES)
def test_values_and_gradients(loss, slow):
    y, (gradient,) = value_and_gradients(lambda z: loss(MASK, z), [LOGITS.astype("float32")])
    np.testing.assert_allclose(y, slow(MASK, LOGITS), rtol=1e-5)
    (expected,) = numeric_gradients(lambda z: slow(MASK, z), [LOGITS.copy()], 1.0)
    np.testing.assert_allclose(gradient, expected, atol=1e-5)
    assert not gradient[MASK == IGNORED].any()


@pytest.mark.extra("torch")
@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_cross_entropy_is_pytorchs(weights, smoothing):
    import torch

    theirs = torch.nn.functional.cross_entropy(
        torch.tensor(LOGITS.reshape(-1, CLASSES)),
        torch.tensor(MASK.reshape(-1)),
        None if weights is None else torch.tensor(weights, dtype=torch.float64),
        ignore_index=IGNORED,
        label_smoothing=smoothing,
    )
    np.testing.assert_allclose(
        PixelCrossEntropy(weights, smoothing)(MASK, LOGITS), float(theirs), rtol=1e-5
    )


@pytest.mark.parametrize("loss", LOSSES)
def test_a_batch_without_a_pixel_that_counts(loss):
    nothing = np.full((1, 2, 3), IGNORED, "uint8")
    logits = 100 * RNG.normal(size=(1, 2, 3, CLASSES)).astype("float32")
    y, (gradient,) = value_and_gradients(lambda z: loss(nothing, z), [logits])
    assert y == 0
    np.testing.assert_array_equal(gradient, np.zeros_like(logits))


@pytest.mark.parametrize("loss", LOSSES)
def test_sure_answers_have_finite_gradients(loss):
    answers = RNG.integers(CLASSES, size=MASK.shape)
    logits = 200 * np.eye(CLASSES, dtype="float32")[answers]
    _, (gradient,) = value_and_gradients(lambda z: loss(MASK, z), [logits])
    assert np.isfinite(gradient).all()


@pytest.mark.parametrize("loss", LOSSES)
def test_masks_of_every_form_and_half_precision(loss):
    logits = LOGITS.astype("float16")
    expected = float(loss(MASK, logits.astype("float32")))
    for mask in (MASK.astype("uint8"), MASK.astype("int64"), MASK[..., np.newaxis]):
        np.testing.assert_allclose(loss(mask, logits), expected, rtol=1e-6)
    y = loss.call(ops.convert_to_tensor(MASK), ops.convert_to_tensor(logits))
    assert keras.backend.standardize_dtype(y.dtype) == "float32"
    np.testing.assert_allclose(y, expected, rtol=1e-6)


def test_lovasz_of_an_answer_without_doubt_is_one_minus_the_iou():
    answers = RNG.integers(CLASSES, size=MASK.shape)
    known = MASK != IGNORED
    losses = []
    for c in range(CLASSES):
        true, taken = known & np.equal(MASK, c), known & np.equal(answers, c)
        if true.any():
            losses.append(1 - (true & taken).sum() / (true | taken).sum())
    logits = 1000 * np.eye(CLASSES)[answers]
    np.testing.assert_allclose(LovaszSoftmax()(MASK, logits), np.mean(losses), rtol=1e-5)


def test_lovasz_of_many_pixels_loses_nothing_in_rounding():
    # Of so many pixels, the IoUs differ by little more than float32 tells apart.
    logits = RNG.normal(size=(1, 256, 512, 2)).astype("float32")
    mask = RNG.integers(2, size=(1, 256, 512))
    p = 1 / (1 + np.exp(np.float64(logits[..., 0] - logits[..., 1]))).ravel()
    truth = mask.ravel() == 1
    errors = np.abs(truth - p)  # the same in both classes
    order, growth = np.argsort(-errors), np.zeros(errors.size)
    for member in (truth, ~truth):
        missed, mistaken = np.cumsum(member[order]), np.cumsum(~member[order])
        losses = 1 - (member.sum() - missed) / (member.sum() + mistaken)
        growth[order] += np.diff(losses, prepend=0) / 2
    loss, (gradient,) = value_and_gradients(lambda z: LovaszSoftmax()(mask, z), [logits])
    np.testing.assert_allclose(loss, (errors * growth).sum(), rtol=1e-5)
    expected = growth * np.where(truth, -1, 1) * p * (1 - p)
    np.testing.assert_allclose(gradient[..., 1].ravel(), expected, rtol=1e-3)


def test_dense_loss():
    assert isinstance(dense_loss("lovasz"), LovaszSoftmax)
    loss = dense_loss("cross_entropy+focal+dice", WEIGHTS, 0.1)
    assert [type(part) for part in loss.losses] == [PixelCrossEntropy, FocalLoss, DiceLoss]
    assert [part.class_weights for part in loss.losses[:2]] == [WEIGHTS, WEIGHTS]
    assert loss.losses[0].label_smoothing == 0.1
    parts = sum(float(part(MASK, LOGITS)) for part in loss.losses)
    np.testing.assert_allclose(loss(MASK, LOGITS), parts, rtol=1e-6)


@pytest.mark.parametrize("name", ["", "jaccard", "dice+", "dice + lovasz"])
def test_unknown_losses(name):
    known = "'cross_entropy', 'dice', 'focal', 'lovasz', or several of them joined by '\\+'; got"
    with pytest.raises(ValueError, match=f"`loss` must be one of {known}"):
        dense_loss(name)


@pytest.mark.parametrize("loss", LOSSES)
def test_losses_are_saved_with_a_model(loss):
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert again.get_config() == loss.get_config()
    np.testing.assert_array_equal(again(MASK, LOGITS), loss(MASK, LOGITS))


def test_wrong_numbers():
    with pytest.raises(ValueError, match="got label_smoothing=1"):
        PixelCrossEntropy(label_smoothing=1)
    with pytest.raises(ValueError, match="got gamma=-1"):
        FocalLoss(-1)
    with pytest.raises(ValueError, match="got smooth=-1"):
        DiceLoss(-1)
    for weights in ([1, -1], [1, float("nan")]):
        with pytest.raises(ValueError, match="`class_weights` must be at least 0; got"):
            PixelCrossEntropy(weights)


def test_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match=r"got shapes \(2, 6, 8\) and \(2, 3, 4, 4\)"):
        DiceLoss()(np.zeros((2, 6, 8)), LOGITS)
    with pytest.raises(ValueError, match="a class index for each pixel of the logits"):
        DiceLoss()(np.eye(CLASSES)[np.zeros((2, 3, 4), int)], LOGITS)
    with pytest.raises(ValueError, match="got 3 for the logits of 4 classes"):
        FocalLoss(class_weights=[1, 1, 1])(MASK, LOGITS)
    with pytest.raises(ValueError, match="at most 255 classes"):
        LovaszSoftmax()(np.zeros((1, 1, 1)), np.zeros((1, 1, 1, 256)))


def segmenter():
    inputs = keras.Input((None, None, 3))
    return keras.Model(inputs, keras.layers.Conv2D(CLASSES, 1)(inputs))


@pytest.mark.parametrize(
    ("name", "precision"), [("cross_entropy+lovasz", "float32"), ("focal+dice", "mixed_bfloat16")]
)
def test_a_model_learns(name, precision):
    """Of unknown size and batch, several steps at a time, with a last batch that is smaller."""
    mask = RNG.integers(CLASSES - 1, size=(10, 8, 6)).astype("uint8")
    images = np.eye(CLASSES, dtype="float32")[mask][..., :3]
    mask[:, 0] = IGNORED
    with training.precision_scope(precision):
        model = segmenter()
    steps = 1 if keras.backend.backend() == "torch" else 2
    model.compile("adam", dense_loss(name), metrics=[MeanIoU(CLASSES)], steps_per_execution=steps)
    model.optimizer.learning_rate = 0.1
    history = model.fit(images, mask, batch_size=4, epochs=15, verbose=0).history
    assert history["loss"][-1] < history["loss"][0] / 2
    assert history["mean_iou"][-1] == 1
    evaluated = model.evaluate(images, mask, batch_size=4, return_dict=True, verbose=0)
    assert evaluated["mean_iou"] == 1
