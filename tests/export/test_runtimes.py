"""Every layer, through Keras's own `model.export`, in the runtimes that it exports to.

The models have no known batch, height or width where the runtime allows it.
"""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest

if keras.backend.backend() != "tensorflow":
    pytest.skip("exported from the TensorFlow backend", allow_module_level=True)

import tensorflow as tf

from kerascnn import layers
from tests.layers.every_layer import EVERY_LAYER

EXTRA = pytest.mark.extra("export")


def keras_file(model, path):
    model.save(path / "model.keras")
    again = keras.saving.load_model(path / "model.keras")
    return lambda images: again.predict(images, verbose=0)


def saved_model(model, path):
    model.export(path / "model", format="tf_saved_model", verbose=False)
    again = tf.saved_model.load(path / "model")
    return lambda images: again.serve(images)


def onnx(model, path):
    import onnxruntime

    model.export(path / "model.onnx", format="onnx", verbose=False)
    session = onnxruntime.InferenceSession(path / "model.onnx")
    return lambda images: session.run(None, {session.get_inputs()[0].name: images})


def lite(model, path):
    from ai_edge_litert.interpreter import Interpreter

    model.export(path / "model.tflite", format="litert", verbose=False)
    # An interpreter without TensorFlow's own ops: only LiteRT's built-in ones will do.
    # By the signature: the interpreter itself lists the outputs in another order.
    run = Interpreter(str(path / "model.tflite")).get_signature_runner()
    (taken,) = run.get_input_details()

    def outputs(images):
        given = run(**{taken: images})
        return [given[f"output_{i}"] for i in range(len(given))]

    return outputs


def open_vino(model, path):
    import openvino

    model.export(str(path / "model.xml"), format="openvino", verbose=False)
    # Without the hint, processors that can compute in bfloat16.
    hint = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model(str(path / "model.xml"), "CPU", hint)
    # Keras gives the outputs no names of their own, and OpenVINO adds tensors that nothing reads.
    names = [f"Identity_{i}:0" if i else "Identity:0" for i in range(len(model.outputs))]

    def outputs(images):
        found = compiled(images)
        return [found[name] for name in names]

    return outputs


def model_of_all(names):
    """A model with the output of each of these layers for one input."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((None, None, 16))
    # Doubled, as OpenVINO does not name an output that is the input itself, as dropout's is.
    outputs = [keras.layers.Rescaling(2.0)(EVERY_LAYER[name](inputs)) for name in names]
    return keras.Model(inputs, outputs)


def check(names, runtime, path):
    model = model_of_all(names)
    images = np.random.default_rng(0).normal(size=(3, 8, 6, 16)).astype("float32")
    expected = model.predict(images, verbose=0)
    expected = expected if len(names) > 1 else [expected]
    outputs = runtime(model, path)
    for batch in (3, 1):
        for name, found, wanted in zip(names, outputs(images[:batch]), expected, strict=True):
            assert found.shape == wanted[:batch].shape, name
            np.testing.assert_allclose(found, wanted[:batch], atol=1e-4, rtol=1e-4, err_msg=name)
            assert np.abs(wanted).max() > 0.01, name


def failures(names, runtime, path):
    """What each of these layers fails with in a runtime; one model of all shows that none does."""
    path.mkdir()
    try:
        check(names, runtime, path)
    except Exception as error:
        if len(names) == 1:
            return {names[0]: error}
        middle = len(names) // 2
        return {
            **failures(names[:middle], runtime, path / "first"),
            **failures(names[middle:], runtime, path / "second"),
        } or {"all of them in one model": error}
    return {}


@pytest.mark.parametrize(
    "runtime",
    [
        keras_file,
        saved_model,
        pytest.param(onnx, marks=EXTRA),
        pytest.param(lite, marks=EXTRA),
        pytest.param(open_vino, marks=EXTRA),
    ],
)
def test_every_layer_gives_the_same_outputs(runtime, tmp_path):
    assert failures(list(EVERY_LAYER), runtime, tmp_path / "all") == {}


@EXTRA
def test_onnx_runtime_takes_our_group_convolution_and_refuses_that_of_keras(tmp_path):
    inputs = keras.Input((8, 8, 16))
    arguments = {"filters": 16, "kernel_size": 3, "groups": 4}
    images = np.ones((1, 8, 8, 16), "float32")
    ours = keras.Model(inputs, layers.GroupConv2D(**arguments)(inputs))
    expected = ours.predict(images, verbose=0)
    np.testing.assert_allclose(onnx(ours, tmp_path)(images)[0], expected, atol=1e-4)
    # Once this fails, Keras has mended it, and the README must no longer say otherwise.
    theirs = keras.Model(inputs, keras.layers.Conv2D(**arguments)(inputs))
    theirs.predict(images, verbose=0)
    with pytest.raises(Exception, match="INVALID_GRAPH|INVALID_ARGUMENT|FAIL"):
        onnx(theirs, tmp_path)


def test_a_saved_model_runs_where_tensorflow_has_no_onednn(tmp_path):
    """Biases, normalization and activations after a group convolution must not be fused there."""
    inputs = keras.Input((None, None, 16))
    x = layers.GroupConv2D(16, 3, groups=4, activation="relu")(inputs)
    x = layers.GroupConv2D(16, 3, groups=8, use_bias=False)(x)
    x = keras.layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.DepthwiseConv2D(3, padding="same", activation="relu")(x)
    x = layers.BatchNormalization()(layers.SeparableConv2D(16, 3, padding="same")(x))
    x = layers.Conv2DTranspose(8, 3, strides=2, groups=2, padding="same", activation="relu")(x)
    model = keras.Model(inputs, x)
    images = np.random.default_rng(0).normal(size=(2, 9, 8, 16)).astype("float32")
    model.export(tmp_path / "model", verbose=False)
    np.save(tmp_path / "images.npy", images)
    np.save(tmp_path / "expected.npy", model.predict(images, verbose=0))
    code = """
import numpy as np, tensorflow as tf
model = tf.saved_model.load("model")
np.testing.assert_allclose(
    model.serve(np.load("images.npy")), np.load("expected.npy"), atol=1e-4, rtol=1e-4
)
"""
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "TF_ENABLE_ONEDNN_OPTS": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-2000:]
