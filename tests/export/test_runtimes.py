"""Every layer, through Keras's own `model.export`, in the runtimes that it exports to.

The models have no known batch, height or width where the runtime allows it.
"""

import inspect
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

onnxruntime = pytest.importorskip("onnxruntime", reason="the extra `export` is not installed")
openvino = pytest.importorskip("openvino", reason="the extra `export` is not installed")
litert = pytest.importorskip(
    "ai_edge_litert.interpreter", reason="the extra `export` is not installed"
)


def unpooled(x):
    pooled, indices = layers.MaxPoolWithArgmax2D(2)(x)
    return layers.MaxUnpool2D(2)([pooled, indices, x])


# What stands for a layer is a function from a tensor with 16 channels to one.
MODELS = {
    "BatchNormalization": layers.BatchNormalization(
        moving_mean_initializer="random_normal",
        moving_variance_initializer=keras.initializers.RandomUniform(0.5, 2.0),
    ),
    "BlurPool2D": layers.BlurPool2D(),
    "BlurPool2D_same": layers.BlurPool2D(4, padding="same"),
    "ChannelShuffle": layers.ChannelShuffle(4),
    "Conv2DTranspose": layers.Conv2DTranspose(8, 3, strides=2, padding="same"),
    "Conv2DTranspose_dilation": layers.Conv2DTranspose(8, 3, dilation_rate=2, padding="same"),
    "Conv2DTranspose_groups": layers.Conv2DTranspose(8, 3, strides=2, padding="same", groups=4),
    "Conv2DTranspose_zeros": layers.Conv2DTranspose(8, 4, strides=2, padding=1, groups=2),
    "DepthwiseConv2D": layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2),
    "DepthwiseConv2D_dilation": layers.DepthwiseConv2D(3, padding="same", dilation_rate=2),
    "DropBlock2D": layers.DropBlock2D(0.3, block_size=3),
    "Dropout": layers.Dropout(0.3),
    "Dropout_classic": layers.Dropout(0.3, mode="classic"),
    "FixedFilter2D": layers.FixedFilter2D("unsharp_mask"),
    "GroupConv2D": layers.GroupConv2D(16, 3, groups=4, padding="same", activation="relu"),
    "GroupConv2D_dilation": layers.GroupConv2D(16, 3, groups=2, padding="same", dilation_rate=2),
    "GroupConv2D_strides": layers.GroupConv2D(16, 3, groups=8, padding="same", strides=2),
    "GroupConv2D_zeros": layers.GroupConv2D(16, 3, groups=8, padding=(2, 1)),
    "LocalResponseNormalization": layers.LocalResponseNormalization(),
    "LocalResponseNormalization_even": layers.LocalResponseNormalization(4, divide_alpha=True),
    "MaxPoolWithArgmax2D": lambda x: layers.MaxPoolWithArgmax2D(3, 2, padding="same")(x)[1],
    "MaxUnpool2D": unpooled,
    "Maxout": layers.Maxout(4),
    "PixelShuffle": layers.PixelShuffle(2),
    "PixelShuffle_CRD": layers.PixelShuffle((1, 2), mode="CRD"),
    "PixelUnshuffle": lambda x: layers.PixelUnshuffle(2)(layers.PixelShuffle(4)(x)),
    "PointwiseConv2D": layers.PointwiseConv2D(8, groups=2),
    "RBFOutput": lambda x: layers.RBFOutput(10)(keras.layers.GlobalAveragePooling2D()(x)),
    "ScaledTanh": layers.ScaledTanh(),
    "SeparableConv2D": layers.SeparableConv2D(8, 3, padding="same"),
    "SqueezeExcite": layers.SqueezeExcite(4),
    "StochasticDepth": layers.StochasticDepth(0.3),
    "StochasticDepth_classic": layers.StochasticDepth(0.3, mode="classic"),
    "SubpixelConv2D": layers.SubpixelConv2D(4, 3, block_size=2),
    "Subsampling2D": layers.Subsampling2D(2, activation="tanh"),
    "Subsampling2D_same": layers.Subsampling2D(3, strides=2, padding="same"),
}


def test_every_layer_is_here():
    everything = {name for name in layers.__all__ if inspect.isclass(getattr(layers, name))}
    assert everything <= {name.partition("_")[0] for name in MODELS}


def keras_file(model, path, images):
    model.save(path / "model.keras")
    return keras.saving.load_model(path / "model.keras").predict(images, verbose=0)


def saved_model(model, path, images):
    model.export(path / "model", format="tf_saved_model", verbose=False)
    again = tf.saved_model.load(path / "model")
    return again.serve(images).numpy()


def onnx(model, path, images):
    model.export(path / "model.onnx", format="onnx", verbose=False)
    session = onnxruntime.InferenceSession(path / "model.onnx")
    (found,) = session.run(None, {session.get_inputs()[0].name: images})
    return found


def lite(model, path, images):
    model.export(path / "model.tflite", format="litert", verbose=False)
    # An interpreter without TensorFlow's own ops: only LiteRT's built-in ones will do.
    interpreter = litert.Interpreter(str(path / "model.tflite"))
    (taken,), (given,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.resize_tensor_input(taken["index"], images.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(taken["index"], images)
    interpreter.invoke()
    return interpreter.get_tensor(given["index"])


def open_vino(model, path, images):
    model.export(str(path / "model.xml"), format="openvino", verbose=False)
    # Without the hint, processors that can compute in bfloat16.
    hint = {"INFERENCE_PRECISION_HINT": "f32"}
    return openvino.Core().compile_model(str(path / "model.xml"), "CPU", hint)(images)[0]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("runtime", [keras_file, saved_model, onnx, lite, open_vino])
@pytest.mark.parametrize("name", MODELS)
def test_answers_the_same(name, runtime, tmp_path):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((None, None, 16))
    model = keras.Model(inputs, MODELS[name](inputs))
    images = np.random.default_rng(0).normal(size=(3, 8, 6, 16)).astype("float32")
    expected = model.predict(images, verbose=0)
    found = runtime(model, tmp_path, images)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=1e-4, rtol=1e-4)
    assert np.abs(expected).max() > 0.01


@pytest.mark.filterwarnings("ignore")
def test_onnx_runtime_takes_our_group_convolution_and_refuses_that_of_keras(tmp_path):
    inputs = keras.Input((8, 8, 16))
    arguments = {"filters": 16, "kernel_size": 3, "groups": 4}
    images = np.ones((1, 8, 8, 16), "float32")
    ours = keras.Model(inputs, layers.GroupConv2D(**arguments)(inputs))
    expected = ours.predict(images, verbose=0)
    np.testing.assert_allclose(onnx(ours, tmp_path, images), expected, atol=1e-4)
    # Once this fails, Keras has mended it, and the README must no longer say otherwise.
    theirs = keras.Model(inputs, keras.layers.Conv2D(**arguments)(inputs))
    theirs.predict(images, verbose=0)
    with pytest.raises(Exception, match="INVALID_GRAPH|INVALID_ARGUMENT|FAIL"):
        onnx(theirs, tmp_path, images)


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
    for onednn in ("0", "1"):
        result = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env={**os.environ, "TF_ENABLE_ONEDNN_OPTS": onednn},
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stderr[-2000:]
