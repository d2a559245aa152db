"""What every model that answers with an image owes its users, whatever its architecture."""

import tempfile
from pathlib import Path

import keras
import numpy as np
from keras.src.backend import standardize_dtype

from tests.models.check_model import (
    EAGERLY,
    answers,
    channels_first,
    check_same_answers,
    check_step,
    mixed_precision,
)


def check_image_model(build, channels=3, answered=None, factor=1, size=(13, 18), sizes=()):
    """Checks any size, channels first, mixed precision, a training step and saving.

    Args:
        build: function of `input_shape` that returns a model.
        channels: int, of the images.
        answered: int, channels of the answer; by default as many.
        factor: int, how many times larger the answer is.
        size: pair of ints, height and width of the images to check with.
        sizes: further sizes that a model of unknown size must take.
    """
    model, x, y = check_any_size(build, channels, answered, factor, size, sizes)
    with channels_first():
        turned = build((channels, *size))
        turned.set_weights(model.get_weights())
        found = answers(turned, np.moveaxis(x, 3, 1))
    np.testing.assert_allclose(np.moveaxis(found, 1, 3), y, rtol=1e-3, atol=1e-3)
    with mixed_precision():
        mixed = build((*size, channels))
    assert standardize_dtype(mixed.output.dtype) == "float32"
    assert standardize_dtype(answers(mixed, x).dtype) == "float32"
    check_training_and_saving(model, x)


def check_any_size(build, channels=3, answered=None, factor=1, size=(13, 18), sizes=()):
    """Checks the size of the answers alone; returns the model, images and its answers to them."""
    answered = answered or channels
    x = np.random.default_rng(0).uniform(size=(2, *size, channels)).astype("float32")
    model = build((*size, channels))
    y = answers(model, x)
    assert y.shape == (2, factor * size[0], factor * size[1], answered)
    assert model.output_shape == (None, *y.shape[1:])
    assert np.ptp(y) > 0
    unknown = build((None, None, channels))
    assert unknown.output_shape == (None, None, None, answered)
    check_same_answers(unknown, model, x, y)
    for height, width in ((1, 1), *sizes):
        found = answers(unknown, np.ones((1, height, width, channels), "float32"))
        assert found.shape == (1, factor * height, factor * width, answered)
        assert np.isfinite(found).all()
    return model, x, y


def check_training_and_saving(model, x):
    model.compile("sgd", "mse", run_eagerly=EAGERLY)
    check_step(model, x, np.ones((len(x), *model.output_shape[1:]), "float32"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        again = keras.saving.load_model(path, safe_mode=True)
    np.testing.assert_allclose(answers(again, x), answers(model, x), rtol=1e-5, atol=1e-6)
