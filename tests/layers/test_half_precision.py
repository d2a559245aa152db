"""Gradients in half precision next to those in float32, where a sum runs over many pixels.

A sum that is kept in bfloat16 stops growing at 256 times what is added, and one in float16 at 2048
times: over 10,000 pixels, the gradient of a bias is then a fraction of what it should be, and over
the 100,000 pixels of each night a few percent of it.
"""

import keras
import numpy as np
import pytest

from kerascnn import layers
from tests.gradients import value_and_gradients
from tests.layers.every_layer import ONE_FORM_BY_DAY, model_of

BACKEND = keras.backend.backend()
if BACKEND == "jax":  # which compiles every case
    pytestmark = pytest.mark.nightly
CHANNELS = 16
# Without weights nothing is summed over all pixels.
SMALL = (2, 24, 20, CHANNELS)
many_pixels = pytest.mark.parametrize(
    "shape",
    [
        pytest.param((4, 50, 50, CHANNELS), id="10000"),
        pytest.param((10, 100, 100, CHANNELS), id="100000", marks=pytest.mark.nightly),
    ],
)
# What lies near the kink of a ReLU is on its other side after rounding.
TOLERANCE = {"GroupConv2D": 0.06, "SCells2D_root": 0.02}

CONVOLUTIONS = {
    "Conv2D": lambda of: getattr(of, "Conv2D", layers.GroupConv2D)(8, 3),
    "Conv2D_1x1": lambda of: getattr(of, "Conv2D", layers.PointwiseConv2D)(8, 1),
    "Conv2DTranspose": lambda of: of.Conv2DTranspose(8, 3, strides=2),
    "DepthwiseConv2D": lambda of: of.DepthwiseConv2D(3),
    "SeparableConv2D": lambda of: of.SeparableConv2D(8, 3),
}


def images(shape):
    """Images whose values float16 and bfloat16 hold exactly; their mean is not zero."""
    x = np.random.default_rng(0).normal(loc=0.3, size=shape).astype("float32")
    return keras.ops.convert_to_numpy(keras.ops.cast(keras.ops.cast(x, "bfloat16"), "float32"))


def gradients(make_model, policy, shape):
    """Gradients of a model by its input and by each of its weights, by name."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        model = make_model()
    finally:
        keras.config.set_dtype_policy(before)
    fixed = [weight.value for weight in model.non_trainable_variables]
    weights = [keras.ops.convert_to_numpy(weight.value) for weight in model.trainable_variables]
    x = images(shape if weights else SMALL)
    rng, size = np.random.default_rng(1), model.compute_output_shape(x.shape)
    # Small enough for float16 to hold the sum over all pixels.
    upstream = 0.1 * rng.normal(loc=0.3, size=size).astype("float32")

    def outputs(x, *weights):
        return model.stateless_call(list(weights), fixed, x, training=False)[0]

    _, found = value_and_gradients(outputs, [x, *weights], upstream)
    names = ["inputs", *(weight.path.split("/")[-1] for weight in model.trainable_variables)]
    return {name: np.asarray(a, "float64") for name, a in zip(names, found, strict=True)}


def errors(make_model, shape):
    """How far gradients in half precision are from those in float32, relative to their norm."""
    expected = gradients(make_model, "float32", shape)
    return {
        (dtype, name): np.linalg.norm(gradient - expected[name]) / np.linalg.norm(expected[name])
        for dtype in ("bfloat16", "float16")
        for name, gradient in gradients(make_model, f"mixed_{dtype}", shape).items()
        if np.linalg.norm(expected[name])
    }


@many_pixels
@pytest.mark.parametrize("name", ONE_FORM_BY_DAY)
def test_gradients_are_those_of_float32(name, shape):
    found = errors(lambda: model_of(name), shape)
    assert max(found.values()) < TOLERANCE.get(name, 0.01), found


@many_pixels
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_no_gradient_is_worse_than_with_keras(name, shape):
    def model(of):
        def make():
            keras.utils.set_random_seed(0)
            return keras.Sequential([keras.Input(shape[1:]), CONVOLUTIONS[name](of)])

        return make

    ours, theirs = (errors(model(of), shape) for of in (layers, keras.layers))
    assert all(ours[key] < max(theirs[key], 0.01) for key in ours), (ours, theirs)


@many_pixels
def test_a_dilated_depthwise_convolution_trains_in_bfloat16(shape):
    # TensorFlow 2.21 on a processor with bfloat16 gives NaN for the native form, or crashes.
    def model():
        keras.utils.set_random_seed(0)
        layer = layers.DepthwiseConv2D(3, padding="same", dilation_rate=3)
        return keras.Sequential([keras.Input(shape[1:]), layer])

    assert max(errors(model, shape).values()) < 0.01


@pytest.mark.parametrize("name", ONE_FORM_BY_DAY)
def test_what_float16_holds_stays_finite(name):
    x = np.random.default_rng(0).choice([60000, 30000, 5, -60000], size=(2, 6, 8, 16))
    x = x.astype("float32")
    exact = keras.ops.convert_to_numpy(model_of(name)(x))
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        found = keras.ops.convert_to_numpy(model_of(name)(x)).astype("float32")
    finally:
        keras.config.set_dtype_policy(before)
    held = np.abs(exact) < 65000
    atol = 0.02 * np.abs(exact[held]).max(initial=0)
    np.testing.assert_allclose(found[held], exact[held], atol=atol)
