"""What every image model owes its users, whatever its architecture."""

import contextlib
import tempfile
from pathlib import Path

import keras
import numpy as np
from keras.src.backend import standardize_dtype

# Compiling a graph takes longer than a step, but JAX compiles every operation by itself otherwise.
EAGERLY = keras.backend.backend() != "jax"


def check_model(build, size=64, classes=3):
    """Checks unknown sizes, channels first, mixed precision, a training step and saving.

    Args:
        build: function of `input_shape`, `num_classes` and further options that returns a model.
        size: int, height and width of the images to check with.
        classes: int, the number of logits to check with.
    """
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(4, size, size, 3)).astype("float32")
    model = build(input_shape=(size, size, 3), num_classes=classes)
    y = answers(model, x)
    assert y.shape == (4, classes)
    check_same_answers(build((None, None, 3), num_classes=classes), model, x, y)
    with channels_first():
        turned = build((3, size, size), num_classes=classes)
        check_same_answers(turned, model, np.moveaxis(x, 3, 1), y)
    check_without_top(build, size, classes)
    with mixed_precision():
        mixed = build(input_shape=(size, size, 3), num_classes=classes)
    assert standardize_dtype(mixed.output.dtype) == "float32"
    check_training_and_saving(model, x)


def check_same_answers(model, other, x, y):
    assert [w.path.split("/", 1)[-1] for w in model.weights] == [
        w.path.split("/", 1)[-1] for w in other.weights
    ]
    model.set_weights(other.get_weights())
    np.testing.assert_allclose(answers(model, x), y, rtol=1e-3, atol=1e-3)


def check_without_top(build, size, classes):
    options = {"input_shape": (size, size, 3), "num_classes": classes}
    features = build(**options, features_only=True).output
    for stride, tensor in features.items():
        assert tensor.shape[1:3] == (size // stride,) * 2, stride
    last = features[max(features)].shape
    assert build(**options, include_top=False).output_shape == last
    for pooling in ("avg", "max"):
        assert build(**options, include_top=False, pooling=pooling).output_shape == last[::3]


def check_training_and_saving(model, x):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss, run_eagerly=EAGERLY)
    check_step(model, x, np.arange(len(x)) % model.output_shape[-1])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        again = keras.saving.load_model(path)
    np.testing.assert_array_equal(answers(again, x), answers(model, x))


def check_step(model, x, y):
    """A step of the compiled model has finite losses and moves what can move."""
    before = [keras.ops.convert_to_numpy(weight).copy() for weight in model.trainable_variables]
    losses = model.train_on_batch(x, y)
    assert np.isfinite(losses).all()
    moved = [
        np.abs(keras.ops.convert_to_numpy(weight) - value).max() > 0
        for weight, value in zip(model.trainable_variables, before, strict=True)
    ]
    # A channel before batch normalization has no use for a bias; a dead ReLU passes nothing.
    assert np.mean(moved) > 0.9


def answers(model, x):
    model.run_eagerly = EAGERLY
    return model.predict(x, verbose=0)


def strides(model):
    """`{stride: channels}` of a model that was built with `features_only`."""
    size = model.input_shape[1]
    return {size // tensor.shape[1]: tensor.shape[-1] for tensor in model.output.values()}


@contextlib.contextmanager
def channels_first():
    keras.config.set_image_data_format("channels_first")
    try:
        yield
    finally:
        keras.config.set_image_data_format("channels_last")


@contextlib.contextmanager
def mixed_precision():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
