"""What holds for every layer: the same answers however its graph is run."""

import inspect

import keras
import numpy as np
import pytest

from kerascnn import layers
from tests.layers.every_layer import EVERY_LAYER, ONE_FORM_BY_DAY, model_of

BACKEND = keras.backend.backend()


def test_every_layer_is_here():
    classes = {name for name in layers.__all__ if inspect.isclass(getattr(layers, name))}
    assert classes == {name.partition("_")[0] for name in EVERY_LAYER}


@pytest.mark.parametrize("name", EVERY_LAYER)
def test_a_built_layer_refuses_other_channels(name):
    for layer in model_of(name).layers:
        if layer.weights:
            for channels in (1, 8, 32):
                x = np.ones((1, 8, 6, channels), "float32")
                with pytest.raises(ValueError, match="16"):
                    layer(x)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="graphs and XLA of TensorFlow")
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", ONE_FORM_BY_DAY)
def test_eager_graph_and_xla_give_the_same_outputs_and_gradients(name, training):
    import tensorflow as tf

    images = np.random.default_rng(0).normal(size=(3, 8, 6, 16)).astype("float32")
    images = tf.constant(images)

    def run(wrapped):
        model = model_of(name)
        weights = [weight.value for weight in model.trainable_weights]

        def step(images):
            with tf.GradientTape() as tape:
                tape.watch(images)
                y = model(images, training=training)
                loss = tf.reduce_sum(y * tf.cos(y))
            return [y, *tape.gradient(loss, [images, *weights])]

        results = wrapped(step)(images)
        state = [weight.numpy() for weight in model.non_trainable_weights]
        return [*(result.numpy() for result in results), *state]

    expected = run(lambda step: step)
    unknown = tf.TensorSpec((None, None, None, 16), "float32")
    modes = [tf.function, lambda step: tf.function(step, jit_compile=True)]
    if not (training and name == "DropBlock2D"):  # which draws otherwise there
        modes.append(lambda step: tf.function(step, input_signature=[unknown]))
    for wrapped in modes:
        for ours, eager in zip(run(wrapped), expected, strict=True):
            np.testing.assert_allclose(ours, eager, rtol=1e-3, atol=1e-4)
