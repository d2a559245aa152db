import keras
import numpy as np
import pytest
import tensorflow as tf

from kerascnn.export import ExportError, export, reconstruction_serving
from kerascnn.export.runtimes.saved_model import read_metadata
from kerascnn.models import create_model


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return create_model("autoencoder", (12, 16, 3), width=4)


def test_it_returns_images(model, tmp_path):
    path = export(model, tmp_path, serving=reconstruction_serving(model)).path
    found = read_metadata(path)
    assert (found["task"], found["image"]) == ("reconstruction", "images")
    signature = tf.saved_model.load(path).signatures["serving_default"]
    images = np.random.default_rng(0).integers(0, 256, (2, 12, 16, 3)).astype(np.uint8)
    found = signature(images=tf.constant(images))["images"].numpy()
    assert found.dtype == np.uint8
    expected = np.round(model.predict(images / np.float32(255), verbose=0) * 255)
    assert np.abs(found - expected).max() <= 1  # what lies between two levels


def test_outputs_are_compared_with_the_models(model):
    image = np.random.default_rng(0).integers(0, 256, (12, 16, 3)).astype(np.uint8)
    output = model.predict(image[np.newaxis] / np.float32(255), verbose=0)[0]
    right = np.round(output * 255).astype(np.uint8)
    check = reconstruction_serving(model).check
    check(image, {"images": right})
    with pytest.raises(ExportError, match="differences of up to 9,"):
        check(image, {"images": right + 9})


def test_models_of_something_else_are_refused():
    for other in (create_model("lenet5"), create_model("espcn_x2")):
        with pytest.raises(ValueError, match="return images of the same shape; got a model from"):
            reconstruction_serving(other)
