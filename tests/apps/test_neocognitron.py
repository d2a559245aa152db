"""`kerascnn classify train --model neocognitron`, from images to predictions and exports."""

import json
import shutil
from itertools import product

import numpy as np
import pytest
import tensorflow as tf

import kerascnn
from kerascnn.training import RunFolder
from kerascnn.training.errors import BrokenCheckpointWarning
from tests.apps.commands import output, predictions
from tests.nightly import every_night

DAMAGE = ("empty", "cut")
TRAIN = ("classify", "train", "--model", "neocognitron")


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    from kerascnn_apps.cli import run

    folder = tmp_path_factory.mktemp("runs") / "digits"
    assert run([*TRAIN, "--option", "stage_images=100", "--out", str(folder)]) == 0
    return folder


def test_a_run_folder_as_of_every_classifier(learned, capsys):
    metrics = json.loads((learned / "metrics.json").read_text())
    assert metrics["test"]["accuracy"] > 0.95
    assert metrics["test"]["expected_calibration_error"] < 0.03
    model = RunFolder(learned).load_model()
    assert metrics["cells"] == {
        "stage2_s_cells": model.get_layer("stage2_s_cells").filters,
        "logits": sum(model.get_layer("logits").counts),
    }
    assert {path.stem for path in (learned / "plots").iterdir()} == {
        "learning_curves",
        "confusion_matrix",
        "calibration",
        "per_class",
        "examples",
        "cells",
        "responses",
    }
    recipe = json.loads((learned / "recipe.json").read_text())
    assert recipe["model"]["options"] == {"stage_images": 100}
    assert recipe["training"]["epochs"] == 1
    assert not any(recipe["training"]["augmentation"].values())
    text = output(capsys, *TRAIN, "--option", "stage_images=100", "--out", learned).out
    assert "has a finished run" in text
    found = json.loads(output(capsys, "classify", "evaluate", learned, "--json").out)
    assert found["accuracy"] == metrics["test"]["accuracy"]
    results = predictions(capsys, learned, learned / "examples")
    right = [result["class_name"] == result["file"][-5] for result in results]
    assert sum(right) >= 9


@pytest.mark.nightly  # by day: each of its layers is exported
def test_exports_give_the_answers_of_predict(learned, tmp_path, capsys):
    output(capsys, "classify", "export", learned, "--out", tmp_path / "served")
    served = tf.saved_model.load(tmp_path / "served" / "1").signatures
    files = sorted((learned / "examples").iterdir())
    expected = predictions(capsys, learned, *files)
    answer = served["serving_default"](
        images=np.stack([kerascnn.data.read_image(file) for file in files])
    )
    wanted = [list(result["probabilities"].values()) for result in expected]
    np.testing.assert_allclose(answer["probabilities"], wanted, atol=1e-4)


# By day, tests/export/test_runtimes.py exports every layer of it.
@pytest.mark.nightly
@pytest.mark.extra("export")
def test_onnx_gives_the_answers_of_the_model(learned, tmp_path):
    import onnxruntime

    model = RunFolder(learned).load_model()
    x = np.random.default_rng(0).uniform(size=(3, *model.input_shape[1:])).astype("float32")
    expected = model.predict(x, verbose=0)
    model.export(tmp_path / "model.onnx", format="onnx", verbose=False)
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    (found,) = session.run(None, {session.get_inputs()[0].name: x})
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--option", "learning_threshold=1.5"], "`learning_threshold` must be in [0, 1); got"),
        (["--option", "max_cells=3"], "with max_cells=3: raise `max_cells`, or lower"),
        (["--option", "rule=any"], "`rule` must be one of 'add_if_silent'"),
        (
            ["--precision", "mixed_bfloat16"],
            "`precision` must be 'float32' for a self-organizing model",
        ),
        (["--option", "thresholds=1"], "The options of 'neocognitron' are"),
        (["--learning-rate", "5"], "learns without gradients, from images of one class; got "),
        (["--patience", "1", "--stop-at", "0.1"], "got `patience`, `stop_at`: leave that out."),
        (["--class-weights"], "got `class_weights`: leave that out."),
        (["--augment", "mixup=0.2"], "got `augmentation.mixup`: leave that out."),
    ],
)
def test_wrong_use(words, sentence, tmp_path, capsys):
    error = output(capsys, *TRAIN, *words, "--out", tmp_path / "run", status=2).err
    assert sentence in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "damage"),
    every_night(
        list(
            product(["checkpoints/stage_1.npz", "checkpoints/stage_2.npz", "history.csv"], DAMAGE)
        ),
        {("checkpoints/stage_2.npz", "cut")},
    ),
)
def test_a_damaged_file_of_an_unfinished_run(learned, name, damage, tmp_path, capsys):
    folder = shutil.copytree(learned, tmp_path / "run")
    (folder / "metrics.json").unlink()
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(b"" if damage == "empty" else content[: len(content) // 2])
    with pytest.warns(BrokenCheckpointWarning, match="cannot be used"):
        output(capsys, *TRAIN, "--option", "stage_images=100", "--out", folder)
    again, before = (json.loads((path / "metrics.json").read_text()) for path in (folder, learned))
    assert (again["test"], again["cells"]) == (before["test"], before["cells"])


def test_more_epochs_are_not_offered(learned, capsys):
    words = (*TRAIN, "--option", "stage_images=100", "--out", learned)
    assert output(capsys, *words).out.endswith("use --force to train again.\n")
    error = output(capsys, *words, "--epochs", 2, status=2).err
    assert "cannot be continued, because it has no checkpoint;" in error


def test_it_learns_from_the_beginning(learned, tmp_path, capsys):
    words = ("classify", "train", "--weights", learned, "--out", tmp_path / "run")
    error = output(capsys, *words, status=2).err
    assert "'neocognitron' cannot start from other weights; got weights=" in error


@pytest.mark.nightly  # by day: the built-in digits
def test_a_folder_of_images(pictures, tmp_path, capsys):
    from PIL import Image, ImageDraw

    for name, box in (("red", (3, 3, 12, 12)), ("blue", (6, 14, 26, 17))):
        for path in (pictures / name).iterdir():
            image = Image.open(path)
            ImageDraw.Draw(image).rectangle(box, fill="white")
            image.save(path)
    out = tmp_path / "run"
    output(capsys, *TRAIN, "--data", pictures, "--option", "activity=0.7", "--out", out)
    results = predictions(capsys, out, pictures / "red" / "0.png", pictures / "blue" / "3.png")
    assert [result["class_name"] for result in results] == ["red", "blue"]
