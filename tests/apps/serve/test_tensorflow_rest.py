"""The requests of https://www.tensorflow.org/tfx/serving/api_rest, in its own forms."""

import base64
import json

import numpy as np
import pytest

from tests.apps.serve.fakes import client_of, gray_png

pytestmark = pytest.mark.extra("serve")

PREDICT = "/v1/models/gray:predict"


def images(*values):
    return [np.full((3, 2, 1), value).tolist() for value in values]


@pytest.mark.parametrize("path", ["", "/versions/1"])
def test_status(client, path):
    found = client.get(f"/v1/models/gray{path}")
    assert found.json() == {
        "model_version_status": [
            {
                "version": "1",
                "state": "AVAILABLE",
                "status": {"error_code": "OK", "error_message": ""},
            }
        ]
    }


@pytest.mark.parametrize("path", ["", "/versions/1"])
def test_metadata(client, path):
    found = client.get(f"/v1/models/gray{path}/metadata").json()
    assert found["model_spec"] == {"name": "gray", "signature_name": "", "version": "1"}
    signatures = found["metadata"]["signature_def"]["signature_def"]
    assert set(signatures) == {"serving_default", "encoded_images"}
    dim = {"size": "-1", "name": ""}
    taken = signatures["serving_default"]["inputs"]["images"]
    assert taken["dtype"] == "DT_UINT8"
    assert taken["tensor_shape"] == {"dim": [dim] * 4, "unknown_rank": False}
    assert signatures["encoded_images"]["inputs"]["encoded_images"]["dtype"] == "DT_STRING"
    outputs = signatures["serving_default"]["outputs"]
    assert {name: output["dtype"] for name, output in outputs.items()} == {
        "class_id": "DT_INT64",
        "class_name": "DT_STRING",
        "mean": "DT_FLOAT",
    }
    assert signatures["serving_default"]["method_name"] == "tensorflow/serving/predict"


def row(value):
    return {
        "class_id": value // 128,
        "class_name": "light" if value > 127 else "dark",
        "mean": value,
    }


@pytest.mark.parametrize("path", [PREDICT, "/v1/models/gray/versions/1:predict"])
@pytest.mark.parametrize("signature", [{}, {"signature_name": "serving_default"}])
def test_predict_in_rows(client, path, signature):
    for instances in (images(7, 200), [{"images": image} for image in images(7, 200)]):
        found = client.post(path, json={"instances": instances, **signature})
        assert found.headers["content-type"] == "application/json"
        assert found.json() == {"predictions": [row(7), row(200)]}


def test_predict_in_columns(client):
    for inputs in (images(7, 200), {"images": images(7, 200)}):
        assert client.post(PREDICT, json={"inputs": inputs}).json() == {
            "outputs": {"class_id": [0, 1], "class_name": ["dark", "light"], "mean": [7, 200]}
        }


def test_files_in_base64(client):
    # Of two sizes, in one request
    files = [
        {"b64": base64.b64encode(gray_png(value, height)).decode()}
        for value, height in ((7, 4), (200, 9))
    ]
    body = {"signature_name": "encoded_images"}
    for instances in (files, [{"encoded_images": file} for file in files]):
        found = client.post(PREDICT, json={**body, "instances": instances}).json()
        assert found == {"predictions": [row(7), row(200)]}
    found = client.post(PREDICT, json={**body, "inputs": files}).json()
    assert found["outputs"]["mean"] == [7, 200]


def test_base64_as_tensorflow_serving_takes_it(client):
    """With lines, as in mail and from Android, and without padding, as in URLs."""
    encoded = base64.encodebytes(gray_png(200, 4, 6)).decode()
    assert encoded.count("\n") > 1
    assert encoded.rstrip().endswith("=")
    for text in (encoded, encoded.strip().rstrip("=")):
        body = {"signature_name": "encoded_images", "instances": [{"b64": text}]}
        assert client.post(PREDICT, json=body).json() == {"predictions": [row(200)]}


@pytest.mark.parametrize("instances", [[["a"], ["a", "b"]], [["a"]], [[["a"], "b"]]])
def test_files_are_one_list(client, instances):
    body = {"signature_name": "encoded_images", "instances": instances}
    response = client.post(PREDICT, json=body)
    assert response.status_code == 400, response.text


def test_a_body_from_curl_counts_as_json(client):
    """The documentation calls `curl -d '{"instances": ...}'`, which declares a form."""
    headers = {"content-type": "application/x-www-form-urlencoded"}
    found = client.post(PREDICT, content=b'{"instances": [[[[9]]]]}', headers=headers)
    assert found.json() == {"predictions": [row(9)]}


def test_a_single_output_has_no_name(tmp_path):
    functions = {
        "one": lambda images: {"y": images[:, 0, 0, 0]},
        "bytes": lambda images: {"y_bytes": np.array([b"\xff\x00"] * len(images), object)},
    }
    with client_of(tmp_path, functions) as client:
        body = {"instances": images(3, 4)}
        assert client.post("/v1/models/one:predict", json=body).json() == {"predictions": [3, 4]}
        body = {"inputs": images(3)}
        assert client.post("/v1/models/one:predict", json=body).json() == {"outputs": [3]}
        # The suffix makes strings bytes, as in TensorFlow Serving.
        assert client.post("/v1/models/bytes:predict", json=body).json() == {
            "outputs": [{"b64": "/wA="}]
        }


def test_large_outputs_come_whole(tmp_path):
    rng = np.random.default_rng(0)
    expected = rng.normal(size=(2, 70, 100, 3))
    with client_of(tmp_path, {"large": lambda images: {"y": expected}}) as client:
        found = client.post("/v1/models/large:predict", json={"inputs": images(1, 2)}).json()
    np.testing.assert_array_equal(found["outputs"], expected)


def test_large_bodies(client):
    """They are read in another process."""
    from kerascnn_apps.serve.json_process import LARGE

    pixels = np.random.default_rng(0).integers(0, 256, (2, 150, 200, 3))
    body = json.dumps({"instances": pixels.tolist()}).encode()
    assert len(body) > LARGE
    found = client.post(PREDICT, content=body).json()["predictions"]
    assert [row["mean"] for row in found] == pytest.approx(list(pixels.mean(axis=(1, 2, 3))), 1e-5)
    named = json.dumps({"instances": [{"images": image} for image in pixels.tolist()]})
    assert client.post(PREDICT, content=named.encode()).json()["predictions"] == found
    tensor = {"name": "images", "shape": pixels.shape, "datatype": "UINT8"}
    for data in (pixels.tolist(), pixels.ravel().tolist()):
        body = {"inputs": [{**tensor, "data": data}]}
        outputs = client.post("/v2/models/gray/infer", json=body).json()["outputs"]
        assert outputs[2]["data"] == [row["mean"] for row in found]
    pixels[1, 0, 0, 0] = 256
    for wrong in (
        json.dumps({"instances": pixels.tolist()}),
        json.dumps({"instances": [*pixels.tolist(), [1]]}),
        named[:-1],
        named + " " + "[" * LARGE,
    ):
        response = client.post(PREDICT, content=wrong.encode())
        assert response.status_code == 400, response.text


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("GET", "/v1/models/none", None, 404, "no model 'none'; models served: gray"),
        ("GET", "/v1/models/gray/versions/3", None, 404, "no version 3; versions served: 1"),
        ("GET", "/v1/models/gray/labels/x", None, 400, "no label 'x'"),
        ("GET", "/v1/models/gray/other", None, 404, "There is no /v1/models/gray/other"),
        ("POST", "/v1/models/none:predict", {}, 404, "no model 'none'"),
        ("POST", "/v1/models/gray/versions/3:predict", {}, 404, "no version 3"),
        ("POST", "/v1/models/gray:classify", {}, 400, "no signature for classify"),
        ("POST", "/v1/models/gray:regress", {}, 400, "no signature for regress"),
        ("POST", "/v1/models/gray:other", {}, 404, "There is no"),
        ("POST", "/v1/models/gray", {}, 404, "There is no"),
        ("POST", PREDICT, {}, 400, "'instances' or 'inputs'"),
        ("POST", PREDICT, {"instances": [], "inputs": []}, 400, "and not both"),
        ("POST", PREDICT, {"instances": []}, 400, "at least one instance"),
        ("POST", PREDICT, {"instances": 3}, 400, "must be a list"),
        ("POST", PREDICT, {"instances": [1], "more": 1}, 400, "unknown field 'more'"),
        ("POST", PREDICT, {"instances": [[[[1]], [[1], [2]]]]}, 400, "rows of equal length"),
        ("POST", PREDICT, {"instances": [[[[0.5]]]]}, 400, "of the type uint8"),
        ("POST", PREDICT, {"instances": [[[[256]]]]}, 400, "of the type uint8"),
        ("POST", PREDICT, {"instances": [[[["a"]]]]}, 400, "of the type uint8"),
        ("POST", PREDICT, {"instances": [[[[10**30]]]]}, 400, "of the type uint8"),
        ("POST", PREDICT, {"instances": [[[1]]]}, 400, "must have the shape"),
        ("POST", PREDICT, {"instances": [[[[1, 2]]]]}, 400, "1, 3 or 4 channels"),
        ("POST", PREDICT, {"instances": [{"other": [[[1]]]}]}, 400, "an object with images"),
        ("POST", PREDICT, {"inputs": {"other": [[[[1]]]]}}, 400, "must have images"),
        ("POST", PREDICT, {"instances": [1], "signature_name": "x"}, 400, "no signature 'x'"),
        (
            "POST",
            PREDICT,
            {"instances": [{"b64": "?"}], "signature_name": "encoded_images"},
            400,
            "in base64",
        ),
        (
            "POST",
            PREDICT,
            {"instances": [{"b64": ""}], "signature_name": "encoded_images"},
            400,
            "PNG or JPEG",
        ),
    ],
)
def test_errors(client, method, path, body, status, words):
    response = client.request(method, path, json=body)
    assert response.status_code == status, response.text
    assert list(response.json()) == ["error"]
    assert words in response.json()["error"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b'{"instances": ' + b"1" * 5000 + b"}"]
)
def test_what_is_no_json_object(client, body):
    response = client.post(PREDICT, content=body)
    assert response.status_code == 400
    assert response.json()["error"].startswith("The body must be")
