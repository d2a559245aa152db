import io
import json

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kerascnn.export import export, segmentation_serving, upscaling_serving
from kerascnn.inference import segment, upscale
from kerascnn.models import create_model
from kerascnn_apps.cli import run

pytestmark = pytest.mark.extra("serve")


def client_of(path):
    """Calls the server of an export without a network; to be used in a `with`."""
    from starlette.testclient import TestClient

    from kerascnn_apps.serve.plan import Plan

    return TestClient(Plan({"model": path}).app())


def png_of(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def random_pixels():
    return np.random.default_rng(0).integers(0, 256, (9, 14, 3), np.uint8)


def test_answers_are_those_of_predict(trained, tmp_path, capsys):
    assert run(["classify", "export", str(trained), "--out", str(tmp_path)]) == 0
    file = min((trained / "examples").iterdir())
    capsys.readouterr()
    assert run(["classify", "predict", str(trained), str(file), "--json"]) == 0
    (expected,) = json.loads(capsys.readouterr().out)
    pixels = np.asarray(Image.open(file))
    pixels = pixels[..., np.newaxis] if pixels.ndim == 2 else pixels
    with client_of(tmp_path) as client:
        answers = [client.post("/predict", content=file.read_bytes()).json()]
        url = "/v1/models/model:predict"
        answers += client.post(url, json={"instances": [pixels.tolist()]}).json()["predictions"]
    for answer in answers:
        assert answer["class_name"] == expected["class_name"]
        assert answer["class_id"] == expected["class_id"]
        assert answer["probabilities"] == pytest.approx(
            list(expected["probabilities"].values()), abs=1e-5
        )


class Mean(tf.Module):
    """The mean of uint8 images of a shape."""

    def __init__(self, *shape):
        super().__init__()
        spec = tf.TensorSpec((None, *shape), tf.uint8, "images")
        self.serve = tf.function(self.mean, input_signature=[spec])

    def mean(self, images):
        return {"mean": tf.reduce_mean(tf.cast(images, tf.float32), axis=(1, 2, 3))}


@pytest.mark.parametrize("channels", [None, 1, 3])
def test_a_savedmodel_of_images_of_any_size_takes_files(channels, tmp_path):
    module = Mean(None, None, channels)
    tf.saved_model.save(module, str(tmp_path / "1"), signatures={"serving_default": module.serve})
    pixels = random_pixels()
    gray = Image.fromarray(pixels).convert("L") if channels == 1 else pixels
    with client_of(tmp_path) as client:
        found = client.post("/predict", content=png_of(pixels))
    assert found.json()["mean"] == pytest.approx(np.mean(gray), abs=0.5)


def test_a_savedmodel_of_images_of_one_size_takes_arrays(tmp_path):
    module = Mean(9, 14, 3)
    tf.saved_model.save(module, str(tmp_path / "1"), signatures={"serving_default": module.serve})
    pixels = random_pixels()
    with client_of(tmp_path) as client:
        body = {"instances": [pixels.tolist()]}
        found = client.post("/v1/models/model:predict", json=body)
        assert found.json()["predictions"][0] == pytest.approx(pixels.mean(), abs=1e-3)
        found = client.post("/predict", content=png_of(pixels))
        assert found.status_code == 400


def test_nothing_to_serve(tmp_path, capsys):
    assert run(["serve", str(tmp_path), "--port", "0"]) == 2
    assert "has no exported model" in capsys.readouterr().err


def test_a_segmentation_model_answers_with_a_mask(tmp_path):
    model = create_model("unet", (None, None, 3), 3, width=2, depth=1)
    export(model, tmp_path, serving=segmentation_serving(model, [0, 4, 200]))
    pixels = random_pixels()
    (probabilities,) = segment(model, pixels)
    expected = np.array([0, 4, 200])[probabilities.argmax(axis=-1)]
    with client_of(tmp_path) as client:
        response = client.post("/predict", content=png_of(pixels))
        assert response.headers["content-type"] == "image/png"
        mask = np.asarray(Image.open(io.BytesIO(response.content)))
        np.testing.assert_array_equal(mask, expected)
        found = client.post(
            "/v1/models/model:predict", json={"inputs": pixels[np.newaxis].tolist()}
        ).json()["outputs"]
    np.testing.assert_array_equal(found["mask"][0], expected)
    np.testing.assert_allclose(found["probabilities"][0], probabilities, atol=1e-5)


@pytest.mark.extra("export")
def test_an_onnx_file_is_served(tmp_path):
    model = create_model("unet", (None, None, 3), 3, width=2, depth=1)
    file = tmp_path / "stones.onnx"
    export(model, file, format="onnx", serving=segmentation_serving(model, [0, 4, 200]))
    pixels = random_pixels()
    (probabilities,) = segment(model, pixels)
    with client_of(file) as client:
        response = client.post("/predict", content=png_of(pixels))
        mask = np.asarray(Image.open(io.BytesIO(response.content)))
        found = client.get("/v2/models/model").json()
    np.testing.assert_array_equal(mask, np.array([0, 4, 200])[probabilities.argmax(axis=-1)])
    assert found["platform"] == "onnxruntime_onnx"
    assert found["outputs"] == [
        {"name": "mask", "datatype": "UINT8", "shape": [-1, -1, -1]},
        {"name": "probabilities", "datatype": "FP32", "shape": [-1, -1, -1, 3]},
    ]


def test_an_upscaler_answers_with_an_image(tmp_path):
    model = create_model("espcn_x2")
    export(model, tmp_path, serving=upscaling_serving(model))
    pixels = random_pixels()
    with client_of(tmp_path) as client:
        response = client.post("/predict", content=png_of(pixels))
    assert response.headers["content-type"] == "image/png"
    image = np.asarray(Image.open(io.BytesIO(response.content)))
    assert image.shape == (18, 28, 3)
    # Float outputs are rounded to pixels on both sides.
    assert np.abs(image.astype(int) - upscale(model, pixels)).max() <= 1
