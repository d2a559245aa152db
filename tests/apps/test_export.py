"""`kerascnn export`, and commands that take what it wrote in the place of a run."""

import functools
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from tests.apps.commands import output
from tests.apps.conftest import TASKS
from tests.nightly import every_night

pytestmark = pytest.mark.extra("export")


@pytest.fixture(scope="module")
def onnx(small_runs, tmp_path_factory):
    """A function from a task to the path of an ONNX file of its run."""
    folder = tmp_path_factory.mktemp("onnx")
    from kerascnn import runs

    @functools.cache
    def path(task):
        return runs.export(small_runs[task], folder / f"{task}.onnx", format="onnx").path

    return path


def predicted(capsys, task, model, images, out):
    """What `predict` prints as JSON, and the pixels of its first file."""
    options = [] if task == "classify" else ["--out", out]
    found = json.loads(output(capsys, task, "predict", model, images, "--json", *options).out)
    files = sorted(path for path in out.rglob("*.png")) if out.exists() else []
    return found, [np.asarray(Image.open(file)).astype(int) for file in files]


@pytest.mark.parametrize("task", every_night(TASKS, {"classify", "segment"}))
def test_predict_from_an_export(task, small_runs, onnx, tmp_path, capsys):
    images = small_runs[task] / "examples"
    of_run, pixels = predicted(capsys, task, small_runs[task], images, tmp_path / "run")
    of_file, others = predicted(capsys, task, onnx(task), images, tmp_path / "file")
    assert len(of_run) == len(of_file) >= 1
    for one, other in zip(of_run, of_file, strict=True):
        for key in ("probabilities", "shares"):
            assert other.get(key, {}) == pytest.approx(one.get(key, {}), abs=1e-4)
    assert len(pixels) == len(others)
    for one, other in zip(pixels, others, strict=True):
        assert np.mean(np.abs(one - other) > 1) < 0.01


def test_evaluate_an_export(small_runs, onnx, scenery, capsys):
    for task, data in (("classify", "classify"), ("segment", "segment"), ("upscale", "upscale")):
        numbers = [
            json.loads(output(capsys, task, "evaluate", model, *options, "--json").out)
            for model, options in (
                (small_runs[task], ()),
                (onnx(task), ("--data", scenery / data)),
            )
        ]
        name = {"classify": "loss", "segment": "mean_iou", "upscale": "psnr"}[task]
        assert numbers[1][name] == pytest.approx(numbers[0][name], abs=0.02)
    error = output(capsys, "classify", "evaluate", onnx("classify"), status=2).err
    assert "`data` must be given for an export" in error
    error = output(capsys, "segment", "predict", onnx("classify"), scenery, status=2).err
    assert "must be an export of a run (`kerascnn segment export`)" in error


@pytest.mark.extra("serve")
def test_serve_an_export(small_runs, onnx):
    from starlette.testclient import TestClient

    from kerascnn_apps.serve.plan import Plan

    with TestClient(Plan({"model": onnx("classify")}).app()) as client:
        body = min((small_runs["classify"] / "examples").iterdir()).read_bytes()
        answer = client.post("/predict", content=body).json()
        assert answer["class_name"] in ("a", "b")
        assert sum(answer["probabilities"]) == pytest.approx(1, abs=1e-5)
        response = client.post("/predict", content=b"no image")
        assert response.status_code == 400
        assert "must be the bytes of a whole PNG or JPEG file" in response.json()["error"]


@pytest.mark.extra("serve")
def test_a_short_model_is_served_in_one_thread(small_runs, onnx, monkeypatch):
    """Where requests keep the cores busy, a call waits for a second thread."""
    from kerascnn_apps.serve import exported

    found, load = [], exported.load_exported

    def watched(path, threads=None):
        found.append(threads)
        return load(path, threads)

    monkeypatch.setattr(exported, "load_exported", watched)
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28, 3), np.uint8)
    expected = load(onnx("classify"))(images)
    for seconds, threads in ((10, [None, 1]), (0, [None])):
        monkeypatch.setattr(exported, "_SHORT_SECONDS", seconds)
        served = exported.Exported(onnx("classify"))
        assert found == threads
        probabilities = served(images=images)["probabilities"]
        np.testing.assert_allclose(probabilities, expected["probabilities"], rtol=1e-6)
        found.clear()
    monkeypatch.setattr(exported, "_SHORT_SECONDS", 10)
    exported.Exported(onnx("segment"))  # the size of the image decides
    assert found == [None]


def test_the_table_and_the_score_of_eight_bits(small_runs, tmp_path, capsys):
    run, out = small_runs["classify"], tmp_path / "model.tflite"
    options = ("--format", "litert", "--quantize", "int8", "--out", out)
    text = output(capsys, "export", run, *options).out
    assert "largest difference" in text
    assert "(probability)" in text
    assert "validation:  accuracy " in text
    assert text.split()[-1] == str(out)
    assert list(tmp_path.iterdir()) == [out]
    assert "exists; choose another name" in output(capsys, "export", run, *options, status=2).err
    output(capsys, "export", run, *options, "--force")


def test_data_for_eight_bits_that_have_moved(small_runs, scenery, tmp_path, capsys):
    run = shutil.copytree(small_runs["classify"], tmp_path / "run")
    recipe = json.loads((run / "recipe.json").read_text())
    recipe["data"]["name"] = str(tmp_path / "moved")
    (run / "recipe.json").write_text(json.dumps(recipe))
    words = ("export", run, "--format", "litert", "--quantize", "int8")
    assert "which" in output(capsys, *words, status=2).err
    assert "use --data." in output(capsys, *words, status=2).err
    text = output(capsys, *words, "--data", scenery / "classify").out
    assert "validation:  accuracy " in text
    error = output(capsys, "export", run, "--data", scenery / "classify", status=2).err
    assert "need `quantize`" in error


def test_wrong_use(small_runs, tmp_path, capsys):
    run = small_runs["classify"]
    error = output(capsys, "export", run, "--format", "tflite", status=2).err
    assert "`format` must be one of 'saved_model', 'onnx', 'litert', 'openvino'" in error
    assert "is not a run" in output(capsys, "export", tmp_path / "absent", status=2).err
    error = output(capsys, "segment", "export", run, status=2).err
    assert "must be a run of `kerascnn segment train`" in error
