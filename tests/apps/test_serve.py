import io
import json

import numpy as np
import pytest
from PIL import Image

from kerascnn.export import export, segmentation_serving, upscaling_serving
from kerascnn.export.formats import find_export
from kerascnn.inference import segment, upscale
from kerascnn.models import create_model
from kerascnn_apps.command import run

EXTRA = pytest.mark.extra("serve")


def client_of(path):
    """Calls the server of an export without a network."""
    from fastapi.testclient import TestClient

    from kerascnn_apps.serve.server import create_server

    return TestClient(create_server(path))


@pytest.fixture(scope="module")
def exported(trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    assert run(["classify", "export", str(trained), "--out", str(folder)]) == 0
    return folder


@EXTRA
def test_answers_are_those_of_predict(trained, exported, capsys):
    client = client_of(find_export(exported))
    assert client.get("/health").json() == {"model": str(exported / "1")}
    file = min((trained / "examples").iterdir())
    capsys.readouterr()
    assert run(["classify", "predict", str(trained), str(file), "--json"]) == 0
    (expected,) = json.loads(capsys.readouterr().out)
    answer = client.post("/predict", content=file.read_bytes()).json()
    assert answer["class_name"] == expected["class_name"]
    assert answer["class_id"] == expected["class_id"]
    assert answer["probabilities"] == pytest.approx(
        list(expected["probabilities"].values()), abs=1e-5
    )


@EXTRA
@pytest.mark.parametrize("body", [b"", b"no image", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe1\xff"])
def test_what_is_no_image_gets_a_sentence(exported, body):
    client = client_of(find_export(exported))
    response = client.post("/predict", content=body)
    assert response.status_code == 400
    detail = response.json()["detail"]
    assert detail.endswith(f" The body has {len(body)} bytes.")
    assert "TensorFlow" not in detail


def test_find_export(tmp_path):
    for version in ("2", "10", "notes"):
        (tmp_path / "export" / version).mkdir(parents=True)
        (tmp_path / "export" / version / "saved_model.pb").touch()
    assert find_export(tmp_path).name == "10"
    assert find_export(tmp_path / "export").name == "10"
    assert find_export(tmp_path / "export" / "2").name == "2"


@EXTRA
def test_nothing_to_serve(tmp_path, capsys):
    assert run(["serve", str(tmp_path)]) == 2
    assert "holds no exported model" in capsys.readouterr().err


@EXTRA
def test_a_segmentation_model_answers_with_a_mask(tmp_path):
    model = create_model("unet", (None, None, 3), 3, width=2, depth=1)
    client = client_of(export(model, tmp_path, serving=segmentation_serving(model, [0, 4, 200])))
    pixels = np.random.default_rng(0).integers(0, 256, (9, 14, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    response = client.post("/predict", content=file.getvalue())
    assert response.headers["content-type"] == "image/png"
    mask = np.asarray(Image.open(io.BytesIO(response.content)))
    (probabilities,) = segment(model, pixels)
    np.testing.assert_array_equal(mask, np.array([0, 4, 200])[probabilities.argmax(axis=-1)])


@EXTRA
def test_an_upscaler_answers_with_a_picture(tmp_path):
    model = create_model("espcn_x2")
    client = client_of(export(model, tmp_path, serving=upscaling_serving(model)))
    pixels = np.random.default_rng(0).integers(0, 256, (9, 14, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    response = client.post("/predict", content=file.getvalue())
    assert response.headers["content-type"] == "image/png"
    picture = np.asarray(Image.open(io.BytesIO(response.content)))
    assert picture.shape == (18, 28, 3)
    # Float answers are rounded to pixels at either end.
    assert np.abs(picture.astype(int) - upscale(model, pixels)).max() <= 1
