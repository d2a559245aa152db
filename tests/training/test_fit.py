import csv
import importlib
import json

import keras
import numpy as np
import pytest

from kerascnn import data, layers
from kerascnn.training import Recipe, RunFolder, best_epoch, classify, fit, last_checkpoint

RECIPE = Recipe(epochs=3, batch_size=64, learning_rate=5e-3)


def small_model():
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(8, 3),
            layers.BatchNormalization(),
            keras.layers.ReLU(),
            keras.layers.Flatten(),
            keras.layers.Dense(10),
        ]
    )


def fresh_digits():
    keras.utils.set_random_seed(0)
    return data.load("digits", batch_size=RECIPE.batch_size)[0]


@pytest.fixture(scope="module")
def digits():
    return fresh_digits()


@pytest.fixture(scope="module")
def finished(digits, tmp_path_factory):
    run = RunFolder(tmp_path_factory.mktemp("runs") / "run")
    history = fit(small_model(), digits, RECIPE, run.path, {"seed": 0}, "a command")
    return run, history


def test_learns_and_leaves_a_run_folder(finished, digits):
    run, history = finished
    assert [row["epoch"] for row in history] == [1, 2, 3]
    assert history[-1]["val_accuracy"] > 0.8
    recipe = json.loads(run.recipe_path.read_text())
    assert recipe["training"]["learning_rate"] == 5e-3
    assert recipe["command"] == "a command"
    with open(run.history_path, newline="") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["loss"]) for row in rows] == [row["loss"] for row in history]
    assert len(list(run.checkpoints.iterdir())) == 1
    assert last_checkpoint(run)[0] == 3
    assert list(run.events.rglob("events.out.tfevents.*"))
    assert not [path for path in run.path.rglob("*") if path.name.startswith(".")]


def test_the_best_epoch_is_kept(finished, digits):
    run, history = finished
    metrics = classify(run.load_model(), digits["validation"]).metrics()
    np.testing.assert_allclose(metrics["accuracy"], best_epoch(history)["val_accuracy"], atol=1e-6)
    np.testing.assert_allclose(metrics["loss"], best_epoch(history)["val_loss"], rtol=1e-4)


def test_equal_accuracies_are_told_apart_by_the_loss():
    rows = [
        {"val_accuracy": accuracy, "val_loss": loss}
        for accuracy, loss in ((0.8, 0.1), (0.9, 0.5), (0.9, 0.3), (0.9, 0.4))
    ]
    assert best_epoch(rows) is rows[2]


def test_an_interrupted_run_goes_on(finished, tmp_path, monkeypatch):
    module = importlib.import_module("kerascnn.training.fit")  # the package has a function `fit`
    run = RunFolder(tmp_path / "run")
    steps_of = module._STEPS_PER_EXECUTION
    monkeypatch.setattr(module, "_STEPS_PER_EXECUTION", 5)
    real_record = module.Record

    class Interrupted(real_record):
        """Pulls the plug in the middle of the third epoch: 20 steps make one."""

        def on_train_batch_end(self, batch, logs=None):
            if int(self.model.optimizer.iterations) > 45:
                raise KeyboardInterrupt

    monkeypatch.setattr(module, "Record", Interrupted)
    pipelines = fresh_digits()
    with pytest.raises(KeyboardInterrupt):
        fit(small_model(), pipelines, RECIPE, run.path, {"seed": 0})
    assert run.state == "unfinished"
    assert last_checkpoint(run)[0] == 2

    monkeypatch.setattr(module, "Record", real_record)
    monkeypatch.setattr(module, "_STEPS_PER_EXECUTION", steps_of)
    pipelines = fresh_digits()
    model = small_model()
    history = fit(model, pipelines, RECIPE, run.path, {"seed": 0})
    assert [row["epoch"] for row in history] == [1, 2, 3]
    # The first two epochs are those of the run that was never interrupted; the third begins from
    # their weights, moments and learning rate.
    _, whole = finished
    for before, after in zip(whole[:2], history[:2], strict=True):
        np.testing.assert_allclose(after["loss"], before["loss"], rtol=1e-3)
    assert history[2]["loss"] < history[1]["loss"]
    assert int(model.optimizer.iterations) == 3 * len(pipelines["train"])
    assert float(model.optimizer.learning_rate) == pytest.approx(0, abs=1e-8)


def test_a_training_that_diverges_says_so(tmp_path):
    model = small_model()
    model.layers[-1].bias.assign(np.full(10, np.inf))
    with pytest.raises(RuntimeError, match="in epoch 1 the loss was nan; .*lower learning rate"):
        fit(model, fresh_digits(), RECIPE, tmp_path / "run")
    assert not (tmp_path / "run" / "model.keras").exists()


def test_a_folder_of_another_run_is_refused(finished, digits):
    run, _ = finished
    with pytest.raises(FileExistsError, match="begun with another training;"):
        fit(small_model(), digits, Recipe(epochs=4), run.path, {"seed": 0})


def test_wrong_numbers():
    nan = float("nan")
    for name, value in (
        ("epochs", 0),
        ("batch_size", 0),
        ("learning_rate", -1.0),
        ("translation", nan),
    ):
        with pytest.raises(ValueError, match=f"got {name}={value}"):
            Recipe(**{"epochs": 1, name: value})


def test_augmentation_shifts_by_no_more_than_it_says():
    images = np.zeros((64, 20, 20, 1), "float32")
    images[:, 10, 10] = 1
    shifted = np.asarray(Recipe(epochs=1, translation=0.1).augmentation(seed=0)(images))
    rows, columns = shifted.sum(axis=(2, 3)), shifted.sum(axis=(1, 3))
    assert np.all(rows[:, :7] == 0)
    assert np.all(rows[:, 14:] == 0)
    assert np.all(columns[:, :7] == 0)
    assert len({tuple(row.round(3)) for row in rows}) > 10  # each image by its own amount
    assert Recipe(epochs=1).augmentation(seed=0) is None
