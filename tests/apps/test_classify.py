import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from sklearn.datasets import load_digits

import kerascnn
from kerascnn.storage.run_folder import BrokenMetricsWarning
from kerascnn.training import RunFolder
from tests.apps.commands import image_size, output, predictions
from tests.nightly import every_night


def test_train_leaves_a_whole_run(trained):
    names = {entry.name for entry in trained.iterdir()}
    assert names == {
        "checkpoints",
        "events",
        "examples",
        "history.csv",
        "manifest.jsonl",
        "metrics.json",
        "model.keras",
        "plots",
        "recipe.json",
    }
    plots = {path.name for path in (trained / "plots").iterdir()}
    assert plots == {
        "calibration.png",
        "confusion_matrix.png",
        "examples.png",
        "learning_curves.png",
        "per_class.png",
    }
    for path in (trained / "plots").iterdir():
        assert min(image_size(path)) > 300
    recipe = json.loads((trained / "recipe.json").read_text())
    assert recipe["data"]["class_names"] == [str(i) for i in range(10)]
    assert recipe["training"]["epochs"] == 2
    assert recipe["model"] == {
        "name": "lenet5",
        "parameters": 61706,
        "options": {},
        "weights": None,
    }
    metrics = json.loads((trained / "metrics.json").read_text())
    assert metrics["test"]["num_examples"] == 360
    assert 0.7 < metrics["test"]["accuracy"] <= metrics["test"]["top5_accuracy"] <= 1
    assert 0 < metrics["test"]["expected_calibration_error"] < 0.5
    rows = metrics["test"]["per_class"]
    assert [row["class_name"] for row in rows] == [str(i) for i in range(10)]
    assert sum(row["support"] for row in rows) == 360


def test_a_finished_run_is_not_touched(trained, capsys):
    before = {path: path.stat().st_mtime_ns for path in trained.rglob("*")}
    text = output(capsys, "classify", "train", "--epochs", 2, "--out", trained).out
    assert "has a finished run" in text
    assert {path: path.stat().st_mtime_ns for path in trained.rglob("*")} == before


@pytest.mark.nightly  # by day: tests/apps/test_force.py
def test_force_clears_a_run(trained, tmp_path, capsys):
    copy = tmp_path / "copy"
    shutil.copytree(trained, copy)
    (copy / "model.keras").write_text("spoiled")
    output(capsys, "classify", "train", "--epochs", 1, "--out", copy, "--force")
    assert len((copy / "history.csv").read_text().splitlines()) == 2
    RunFolder(copy).load_model()


@pytest.mark.parametrize(
    "wrong",
    [
        ["--model", "lenet6"],
        ["--precision", "half"],
        ["--weights", "SELF", "--precision", "mixed_bfloat16"],
        ["--weights", "no_run"],
        ["--data", "no_such_set"],
        ["--recipe", "pie"],
        ["--image-size", "2"],
        ["--seed", "-1"],
    ],
)
def test_force_clears_nothing_for_a_command_that_is_wrong(trained, capsys, wrong):
    before = {path: path.stat().st_mtime_ns for path in trained.rglob("*")}
    wrong = [str(trained) if word == "SELF" else word for word in wrong]
    output(capsys, "classify", "train", "--out", trained, "--force", *wrong, status=2)
    assert {path: path.stat().st_mtime_ns for path in trained.rglob("*")} == before


def test_an_unfinished_run_goes_on_and_another_is_refused(trained, tmp_path, capsys):
    copy = tmp_path / "copy"
    shutil.copytree(trained, copy)
    (copy / "metrics.json").unlink()
    other = ("--epochs", 2, "--batch-size", 64, "--out", copy)
    error = output(capsys, "classify", "train", *other, status=2).err
    assert "started with another training;" in error
    output(capsys, "classify", "train", "--epochs", 2, "--out", copy)
    assert (copy / "history.csv").read_text() == (trained / "history.csv").read_text()
    assert json.loads((copy / "metrics.json").read_text()) == json.loads(
        (trained / "metrics.json").read_text()
    )


def test_the_data_are_found_again_from_elsewhere(pictures, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(pictures.parent)
    shutil.copytree(pictures, "digits")  # a folder with the name of an embedded set
    output(
        capsys, "classify", "train", "--data", "./digits", "--out", tmp_path / "r", "--epochs", 1
    )
    monkeypatch.chdir("/")
    found = json.loads(output(capsys, "classify", "evaluate", tmp_path / "r", "--json").out)
    assert found["num_examples"] == 2


def test_a_run_of_another_program_says_so(tmp_path, capsys):
    RunFolder(tmp_path).begin({"training": {}})
    error = output(capsys, "classify", "export", tmp_path, status=2).err
    assert "must be a run of `kerascnn classify train`" in error


@pytest.mark.nightly
def test_one_seed_gives_one_result(trained, tmp_path, capsys):
    output(capsys, "classify", "train", "--epochs", 2, "--out", tmp_path / "again")
    first, again = (RunFolder(folder).load_model() for folder in (trained, tmp_path / "again"))
    for a, b in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_predict_tells_file_class_and_probability(trained, capsys):
    lines = output(capsys, "classify", "predict", trained, trained / "examples").out.splitlines()
    files = sorted((trained / "examples").iterdir())
    assert len(lines) == len(files) == 10
    for line, file in zip(lines, files, strict=True):
        name, class_name, probability = line.split()
        assert name == str(file)
        assert class_name in "0123456789"
        assert probability.endswith("%")
    results = predictions(capsys, trained, trained / "examples")
    right = [result["class_name"] == result["file"][-5] for result in results]
    assert sum(right) >= 7
    for result in results:
        assert result["probabilities"][result["class_name"]] == result["probability"]
        assert sum(result["probabilities"].values()) == pytest.approx(1, abs=1e-5)


def test_predict_takes_images_of_every_kind(trained, tmp_path, capsys):
    digit = np.round(load_digits().images[0] * (255 / 16)).astype(np.uint8)
    gray = Image.fromarray(digit).resize((56, 56))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned right by a quarter
    kinds = {
        "gray.png": gray,
        "rgb.png": gray.convert("RGB"),
        "rgba.png": gray.convert("RGBA"),
        "palette.png": gray.quantize(256),
        "deep.png": Image.fromarray(np.asarray(gray).astype(np.uint16) * 257),
        "picture.webp": gray.convert("RGB"),
        "picture.bmp": gray,
    }
    for name, image in kinds.items():
        image.save(tmp_path / name, **({"lossless": True} if name.endswith("webp") else {}))
    gray.rotate(90).save(tmp_path / "turned.png", exif=exif)
    results = predictions(capsys, trained, tmp_path)
    assert len(results) == 8
    for result in results:
        assert result["class_name"] == "0"
        assert result["probability"] == pytest.approx(results[0]["probability"], abs=1e-4)


def test_predict_names_broken_images_and_answers_for_the_rest(trained, tmp_path, capsys):
    shutil.copytree(trained / "examples", tmp_path / "images")
    (tmp_path / "images" / "a.png").write_bytes(b"nothing")
    found = output(capsys, "classify", "predict", trained, tmp_path / "images", status=1)
    assert len(found.out.splitlines()) == 10
    assert found.err.count("\n") == 1
    assert "a.png cannot be read as an image" in found.err


@pytest.mark.parametrize(
    ("path", "sentence"),
    [("absent.png", "There is no file or folder"), (".", "must have images")],
)
def test_predict_without_images(trained, tmp_path, capsys, path, sentence):
    error = output(capsys, "classify", "predict", trained, tmp_path / path, status=2).err
    assert sentence in error


@pytest.mark.nightly  # by day: tests/runs/test_earlier_versions.py
def test_export_serves_the_answers_of_predict(trained, tmp_path, capsys):
    text = output(capsys, "classify", "export", trained, "--out", tmp_path / "served").out
    assert text.split()[-1] == str(tmp_path / "served" / "1")
    served = tf.saved_model.load(tmp_path / "served" / "1").signatures
    files = sorted((trained / "examples").iterdir())
    expected = predictions(capsys, trained, *files)
    answers = [
        served["encoded_images"](encoded_images=[file.read_bytes() for file in files]),
        served["serving_default"](
            images=np.stack([kerascnn.data.read_image(file) for file in files])
        ),
    ]
    for answer in answers:
        names = [name.decode() for name in answer["class_name"].numpy()]
        assert names == [result["class_name"] for result in expected]
        np.testing.assert_allclose(
            answer["probabilities"],
            [list(result["probabilities"].values()) for result in expected],
            atol=1e-5,
        )


def test_a_folder_of_pictures_from_training_to_answers(pictures, tmp_path, capsys):
    (pictures / "red" / "broken.png").write_bytes(b"no image")
    out = tmp_path / "run"
    train = ("classify", "train", "--data", pictures, "--out", out, "--epochs", 8)
    with pytest.warns(UserWarning, match="broken.png cannot be read"):
        output(capsys, *train)
    results = predictions(capsys, out, pictures / "red" / "0.png", pictures / "blue" / "3.png")
    assert [result["class_name"] for result in results] == ["red", "blue"]
    error = output(capsys, *train[:-4], "--out", tmp_path / "other", "--strict", status=1).err
    assert "broken.png cannot be read" in error
    assert not (tmp_path / "other").exists()


@pytest.mark.nightly  # by day: CI runs it as README says
def test_demo(tmp_path, capsys, monkeypatch):
    from kerascnn.tasks.classification_recipes import RECIPES, ClassificationRecipe

    monkeypatch.setitem(RECIPES.rows, "small", ClassificationRecipe(epochs=2, batch_size=32))
    text = output(capsys, "demo", "--out", tmp_path / "demo").out
    assert "test accuracy" in text
    for path in ("plots/learning_curves.png", "plots/confusion_matrix.png", "export/1"):
        assert str(tmp_path / "demo" / path) in text
        assert (tmp_path / "demo" / path).exists()
    assert "has a finished run" in output(capsys, "demo", "--out", tmp_path / "demo").out
    shutil.rmtree(tmp_path / "demo" / "export")  # as if it had been interrupted there
    output(capsys, "demo", "--out", tmp_path / "demo")
    assert (tmp_path / "demo" / "export" / "1").exists()


def test_the_backend_must_be_known(capsys):
    error = output(capsys, "classify", "train", "--backend", "theano", status=2).err
    assert "`backend` must be one of 'tensorflow', 'jax', 'torch'; got backend='theano'" in error


@pytest.mark.extra("torch")
def test_keras_is_loaded_with_another_backend(capsys):
    error = output(capsys, "classify", "train", "--backend", "torch", status=1).err
    assert "Keras was already imported with the backend" in error


@pytest.mark.extra("jax")
def test_the_backend_is_chosen_before_keras_is_loaded(tmp_path, capsys):
    out = tmp_path / "jax"
    program = "import sys; from kerascnn_apps.cli import main; main()"
    arguments = ["classify", "train", "--backend", "jax", "--epochs", "1", "--out", str(out)]
    result = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert json.loads((out / "recipe.json").read_text())["versions"]["backend"] == "jax"
    # What JAX trained, TensorFlow evaluates and exports.
    metrics = json.loads((out / "metrics.json").read_text())["test"]
    found = json.loads(output(capsys, "classify", "evaluate", out, "--json").out)
    assert found["accuracy"] == metrics["accuracy"] > 0.5
    output(capsys, "classify", "export", out)


@pytest.mark.nightly  # by day: CI runs the demo, which trains the same model on digits
def test_mnist_learns(real_data, tmp_path, capsys):
    arguments = ("--data", "mnist", "--data-dir", real_data / "tfds", "--epochs", 1)
    output(capsys, "classify", "train", *arguments, "--out", tmp_path / "mnist")
    metrics = json.loads((tmp_path / "mnist" / "metrics.json").read_text())
    assert metrics["test"]["num_examples"] == 10_000
    assert metrics["test"]["accuracy"] > 0.95


def test_a_model_for_another_task(tmp_path, capsys):
    train = ("classify", "train", "--data", "digits", "--out", tmp_path / "run", "--model")
    error = output(capsys, *train, "unet", status=2).err
    assert "; got model='unet', which is for segmentation (`ker" in error
    error = output(capsys, *train, "autoencoder", status=2).err
    assert "got model='autoencoder', which is for reconstruction (`kerascnn reconstruct" in error
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("content", every_night([b"", b'{"test": {'], [b'{"test": {']))
def test_damaged_metrics_are_named_and_written_again(trained, tmp_path, capsys, content):
    copy = tmp_path / "copy"
    shutil.copytree(trained, copy)
    (copy / "metrics.json").write_bytes(content)
    with pytest.warns(
        BrokenMetricsWarning, match=r"metrics\.json is damaged, and is written again"
    ):
        output(capsys, "classify", "train", "--epochs", 2, "--out", copy)
    assert (copy / "metrics.json").read_text() == (trained / "metrics.json").read_text()
    assert (copy / "history.csv").read_text() == (trained / "history.csv").read_text()
