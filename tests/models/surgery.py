"""Models for the tests of `accelerate` and `fold_batch_normalization`."""

import keras
import numpy as np
from keras import layers

APPLICATIONS = ("ResNet50", "MobileNetV2", "DenseNet121", "EfficientNetB0")


def application(name, size=64):
    """A network of `keras.applications` that returns logits, with statistics that matter."""
    build = getattr(keras.applications, name)
    return randomized(
        build(weights=None, input_shape=(size, size, 3), classes=5, classifier_activation=None)
    )


def resnext():
    """A ResNeXt of Keras's layers with a nested part, and one that is called twice."""
    inputs = keras.Input((16, 16, 3), name="images")
    x = layers.Conv2D(16, 3, padding="same", use_bias=False, name="stem")(inputs)
    x = layers.ReLU()(layers.BatchNormalization(name="stem_norm")(x))
    shared = keras.Model(*_block((16, 16, 16)), name="shared")
    nested = keras.Sequential(
        [
            keras.Input((16, 16, 16)),
            layers.Conv2D(32, 3, strides=2, groups=4, name="down"),
            layers.BatchNormalization(scale=False),
            layers.Activation("relu"),
            layers.SpatialDropout2D(0.2),
        ],
        name="nested",
    )
    x = nested(shared(shared(x)))
    x = layers.GlobalAveragePooling2D()(x)
    return randomized(keras.Model(inputs, layers.Dense(5, name="logits")(x), name="resnext"))


def _block(shape):
    inputs = keras.Input(shape)
    x = layers.Conv2D(
        16, 3, padding="same", groups=4, use_bias=False, kernel_regularizer="l2", name="grouped"
    )(inputs)
    x = layers.ReLU()(layers.BatchNormalization(center=False)(x))
    x = layers.Conv2D(16, 1)(x)
    return inputs, layers.add([inputs, layers.BatchNormalization()(x)])


def randomized(model):
    """The model with random statistics, scales, shifts and biases."""
    rng = np.random.default_rng(0)
    for weight in model.weights:
        if weight.name in ("gamma", "moving_variance"):
            weight.assign(rng.uniform(0.5, 1.5, weight.shape))
        elif weight.name in ("beta", "bias", "moving_mean"):
            weight.assign(rng.normal(0, 0.3, weight.shape))
    return model


def images(model, count=4):
    size = [side or 20 for side in model.input_shape[1:]]
    return np.random.default_rng(1).uniform(size=(count, *size)).astype("float32")


def predicted(model, x):
    """The outputs at inference, as NumPy arrays."""
    outputs = keras.tree.flatten(model(x, training=False))
    return [keras.ops.convert_to_numpy(output) for output in outputs]


def assert_same_outputs(model, other, x=None, tolerance=1e-5):
    """The tolerance is relative to the largest output."""
    x = images(model) if x is None else x
    for expected, found in zip(predicted(model, x), predicted(other, x), strict=True):
        scale = np.abs(expected).max()
        assert scale > 0
        np.testing.assert_allclose(found / scale, expected / scale, rtol=0, atol=tolerance)


def layers_of(model):
    """All layers of a model and of those nested in it."""
    found = []
    for layer in model.layers:
        found += layers_of(layer) if isinstance(layer, keras.Model) else [layer]
    return found
