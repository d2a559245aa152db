"""Keras's own `model.export(format="onnx")` of models with our layers."""

import keras
import numpy as np
import pytest

from kerascnn import layers

pytest.importorskip("tf2onnx", reason="the extra `export` is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="the extra `export` is not installed")


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_model_of_our_layers_answers_the_same_in_onnxruntime(tmp_path):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((None, None, 16))
    x = layers.GroupConv2D(16, 3, groups=4, padding="same", activation="relu")(inputs)
    x = layers.BatchNormalization()(x)
    x = layers.PixelShuffle(2)(x)
    x = layers.PixelUnshuffle(2, mode="CRD")(x)
    x = layers.GroupConv2D(32, 3, groups=8, strides=2)(x)
    model = keras.Model(inputs, layers.Dropout(0.3, mode="classic")(x))
    images = np.random.default_rng(0).normal(size=(3, 9, 6, 16)).astype("float32")
    expected = model.predict(images, verbose=0)

    model.export(tmp_path / "model.onnx", format="onnx", verbose=False)
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    (found,) = session.run(None, {session.get_inputs()[0].name: images})
    np.testing.assert_allclose(found, expected, atol=1e-4)
