"""An ONNX model takes images and nothing else: what is constant is part of it."""

import keras
import numpy as np
import pytest

from kerascnn.models import model_info
from kerascnn.models.inputs import image_input
from tests.models.test_every_model import distinct, few, small
from tests.nightly import every_night

BACKEND = keras.backend.backend()
on_tensorflow = pytest.mark.skipif(
    BACKEND != "tensorflow", reason="exported from the TensorFlow backend"
)


def options(name):
    info = model_info(name)
    takes_it = "preprocessing" in info.options and info.input_shape[-1] == 3
    return {"preprocessing": "torch"} if takes_it else {}


@on_tensorflow
@pytest.mark.parametrize("name", every_night(distinct(), few()))
def test_no_model_keeps_constants_outside_of_its_graph(name):
    import tensorflow as tf

    model = small(name, **options(name))
    images = tf.TensorSpec((None, *model.input_shape[1:]), "float32")
    graph = tf.function(model).get_concrete_function(images).graph
    # Weights are resources; any other tensor that the graph captures becomes an input in ONNX.
    captured = [tensor for tensor, _ in graph.captures if tensor.dtype != tf.resource]
    assert not captured


@on_tensorflow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.extra("export")
@pytest.mark.parametrize("name", ["edsr_baseline_x2", "mobilenet_v2", "unet"])
def test_onnx_runtime_needs_images_only(name, tmp_path):
    import onnx
    import onnxruntime

    keras.utils.set_random_seed(0)
    model = small(name, **options(name))
    size = [side or 24 for side in model.input_shape[1:]]
    images = np.random.default_rng(0).uniform(size=(2, *size)).astype("float32")
    expected = model.predict(images, verbose=0)
    path = str(tmp_path / "model.onnx")
    model.export(path, format="onnx", verbose=False)
    assert len(onnx.load(path).graph.input) == 1
    session = onnxruntime.InferenceSession(path)
    (found,) = session.run(None, {session.get_inputs()[0].name: images})
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("mode", ["caffe", "tf", "torch"])
def test_preprocessing_in_both_data_formats_and_after_reloading(mode, data_format, tmp_path):
    shape = (4, 5, 3) if data_format == "channels_last" else (3, 4, 5)
    images = np.random.default_rng(0).uniform(size=(2, *shape)).astype("float32")
    expected = keras.applications.imagenet_utils.preprocess_input(
        255 * images, data_format=data_format, mode=mode
    )
    if mode == "caffe":  # where Keras turns to blue, green, red
        expected = np.flip(expected, 3 if data_format == "channels_last" else 1)
    before = keras.config.image_data_format()
    keras.config.set_image_data_format(data_format)
    try:
        model = keras.Model(*image_input(shape, preprocessing=mode))
        model.save(tmp_path / "model.keras")
    finally:
        keras.config.set_image_data_format(before)
    for found in (model, keras.saving.load_model(tmp_path / "model.keras")):
        np.testing.assert_allclose(found.predict(images, verbose=0), expected, rtol=1e-5, atol=1e-5)
