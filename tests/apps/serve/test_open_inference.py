import json

import numpy as np
import pytest

from tests.apps.serve.fakes import client_of, gray_png

pytestmark = pytest.mark.extra("serve")

INFER = "/v2/models/gray/infer"


def tensor(**changed):
    data = [9] * 6 + [200] * 6
    return {"name": "images", "shape": [2, 3, 2, 1], "datatype": "UINT8", "data": data} | changed


def test_health_and_metadata(client):
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json() == {"ready": True}
    server = client.get("/v2").json()
    assert (server["name"], server["extensions"]) == ("kerascnn", ["binary_tensor_data"])
    for path in ("", "/versions/1"):
        assert client.get(f"/v2/models/gray{path}/ready").json() == {"name": "gray", "ready": True}
        found = client.get(f"/v2/models/gray{path}").json()
        assert found.pop("platform") in ("fake", "tensorflow_savedmodel")
        assert found == {
            "name": "gray",
            "versions": ["1"],
            "inputs": [{"name": "images", "datatype": "UINT8", "shape": [-1, -1, -1, -1]}],
            "outputs": [
                {"name": "class_id", "datatype": "INT64", "shape": [-1]},
                {"name": "class_name", "datatype": "BYTES", "shape": [-1]},
                {"name": "mean", "datatype": "FP32", "shape": [-1]},
            ],
        }


EXPECTED = [
    {"name": "class_id", "datatype": "INT64", "shape": [2], "data": [0, 1]},
    {"name": "class_name", "datatype": "BYTES", "shape": [2], "data": ["dark", "light"]},
    {"name": "mean", "datatype": "FP32", "shape": [2], "data": [9, 200]},
]


@pytest.mark.parametrize("path", [INFER, "/v2/models/gray/versions/1/infer"])
def test_infer(client, path):
    nested = np.reshape(tensor()["data"], (2, 3, 2, 1)).tolist()
    for data in (tensor()["data"], nested):
        found = client.post(path, json={"id": "42", "inputs": [tensor(data=data)]}).json()
        assert found == {
            "model_name": "gray",
            "model_version": "1",
            "id": "42",
            "outputs": EXPECTED,
        }


def test_chosen_outputs(client):
    body = {"inputs": [tensor()], "outputs": [{"name": "mean"}, {"name": "class_id"}]}
    found = client.post(INFER, json=body).json()
    assert found["outputs"] == [EXPECTED[2], EXPECTED[0]]
    assert "id" not in found


def test_files(client):
    """Image files as the BYTES of the signature `encoded_images`."""
    import struct

    files = [gray_png(9), gray_png(200, 7)]
    raw = b"".join(struct.pack("<I", len(file)) + file for file in files)
    given = {"name": "encoded_images", "shape": [2], "datatype": "BYTES"}
    given["parameters"] = {"binary_data_size": len(raw)}
    head = json.dumps({"inputs": [given]}).encode()
    headers = {"Inference-Header-Content-Length": str(len(head))}
    found = client.post(INFER, content=head + raw, headers=headers).json()
    assert found["outputs"] == EXPECTED


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "must have 'inputs'"),
        ({"inputs": []}, "must have 'inputs'"),
        ({"inputs": [3]}, "must be an object with 'name'"),
        ({"inputs": [tensor(name="x")]}, "no input 'x'; its inputs: images, encoded_images"),
        ({"inputs": [tensor(datatype="FP32")]}, "must have the datatype UINT8; got FP32"),
        ({"inputs": [tensor(shape=[2, 3, 2, 2])]}, "must have 24 values; got 12"),
        ({"inputs": [tensor(shape=[2, -3, -2, 1])]}, "must have a 'shape'"),
        ({"inputs": [tensor(shape="2")]}, "must have a 'shape'"),
        ({"inputs": [tensor(shape=[0, 3, 2, 1], data=[])]}, "1 to 64 images"),
        ({"inputs": [tensor(data=None)]}, "must have 'data'"),
        ({"inputs": [tensor(data=[300] * 12)]}, "of the type uint8"),
        ({"inputs": [tensor(), tensor()]}, "must be given once"),
        ({"inputs": [tensor(parameters={"binary_data_size": 12})]}, "'binary_data_size' bytes"),
        ({"inputs": [tensor(parameters=3)]}, "'parameters' must be an object"),
        (
            {"inputs": [tensor()], "outputs": [{"name": "x"}]},
            "no output 'x'; its outputs: class_id",
        ),
        ({"inputs": [tensor()], "outputs": 3}, "'outputs' must be a list"),
    ],
)
def test_errors(client, body, words):
    response = client.post(INFER, json=body)
    assert response.status_code == 400, response.text
    assert list(response.json()) == ["error"]
    assert words in response.json()["error"]


def test_what_is_null_is_not_given(client):
    body = {"id": None, "parameters": None, "inputs": [tensor(parameters=None)]}
    found = client.post(INFER, json=body).json()
    assert "id" not in found
    assert found["outputs"] == EXPECTED


def test_bfloat16(tmp_path):
    import ml_dtypes

    def function(images):
        return {"mean": images.mean((1, 2, 3)).astype(ml_dtypes.bfloat16)}

    with client_of(tmp_path, {"half": function}) as client:
        found = client.post("/v2/models/half/infer", json={"inputs": [tensor()]}).json()
    (output,) = found["outputs"]
    assert output == {"name": "mean", "datatype": "BF16", "shape": [2], "data": [9, 200]}


def test_ragged_files(client):
    given = {
        "name": "encoded_images",
        "shape": [2],
        "datatype": "BYTES",
        "data": [["a"], ["b", "c"]],
    }
    response = client.post(INFER, json={"inputs": [given]})
    assert response.status_code == 400


def test_unknown_models_and_versions(client):
    for path in ("none", "gray/versions/2", "gray/versions/x"):
        assert client.get(f"/v2/models/{path}").status_code == 404
        assert client.get(f"/v2/models/{path}/ready").status_code == 404
        assert client.post(f"/v2/models/{path}/infer", json={}).status_code == 404


@pytest.mark.parametrize("length", ["-1", "x", "0", "99999"])
def test_a_wrong_length_of_the_json(client, length):
    headers = {"Inference-Header-Content-Length": length}
    response = client.post(INFER, content=b"{}", headers=headers)
    assert response.status_code == 400


def test_tensors_of_images_of_two_sizes_are_refused_where_outputs_differ(tmp_path):
    import base64
    import struct

    files = [gray_png(9), gray_png(200, 7)]
    raw = b"".join(struct.pack("<I", len(file)) + file for file in files)
    given = {"name": "encoded_images", "shape": [2], "datatype": "BYTES"}
    given["parameters"] = {"binary_data_size": len(raw)}
    head = json.dumps({"inputs": [given]}).encode()
    headers = {"Inference-Header-Content-Length": str(len(head))}
    with client_of(tmp_path, {"same": lambda images: {"mask": images[..., 0]}}) as client:
        response = client.post("/v2/models/same/infer", content=head + raw, headers=headers)
        assert response.status_code == 400
        assert "must have one size" in response.json()["error"]
        rows = [{"b64": base64.b64encode(file).decode()} for file in files]
        body = {"signature_name": "encoded_images", "instances": rows}
        found = client.post("/v1/models/same:predict", json=body).json()["predictions"]
        assert [np.shape(mask) for mask in found] == [(4, 5), (7, 5)]
