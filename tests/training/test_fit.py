import csv
import json

import keras
import numpy as np
import pytest

from kerascnn import data, layers
from kerascnn.inference import classify
from kerascnn.storage.checkpoints import Checkpoints
from kerascnn.training import (
    Recipe,
    RunFolder,
    best_epoch,
    fit,
    fitting,
    last_checkpoint,
    precision_scope,
)

RECIPE = Recipe(epochs=3, batch_size=64, learning_rate=5e-3)
FACTS = {"seed": 0, "model": {"name": "small"}, "data": {"name": "digits"}}


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


def pipelines(**options):
    found = data.load_classification("digits")
    return {split: found.pipeline(split, **options) for split in data.SPLITS}


def fresh_digits():
    keras.utils.set_random_seed(0)
    return pipelines(batch_size=RECIPE.batch_size)


@pytest.fixture(scope="module")
def digits():
    return fresh_digits()


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    pipelines = fresh_digits()  # seeds the model here, whichever test comes first
    run = RunFolder(tmp_path_factory.mktemp("runs") / "run")
    history = fit(small_model(), pipelines, RECIPE, run.path, facts=FACTS, command="a command")
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
    assert len(list(run.checkpoints.iterdir())) == 2
    assert last_checkpoint(run)[0] == 3
    assert list(run.events.rglob("events.out.tfevents.*"))
    assert not [path for path in run.path.rglob("*") if path.name.startswith(".")]


def test_the_best_epoch_is_kept(finished, digits):
    run, history = finished
    model = run.load_model()
    assert model(np.zeros((1, 8, 8, 1))).shape == (1, 10)  # without a warning of Keras
    metrics = classify(model, digits["validation"]).metrics()
    np.testing.assert_allclose(metrics["accuracy"], best_epoch(history)["val_accuracy"], atol=1e-6)
    np.testing.assert_allclose(metrics["loss"], best_epoch(history)["val_loss"], rtol=1e-4)


def test_equal_accuracies_are_told_apart_by_the_loss():
    rows = [
        {"val_accuracy": accuracy, "val_loss": loss}
        for accuracy, loss in ((0.8, 0.1), (0.9, 0.5), (0.9, 0.3), (0.9, 0.4))
    ]
    assert best_epoch(rows) is rows[2]


def test_a_training_that_diverges_says_so(tmp_path):
    model = small_model()
    model.layers[-1].bias.assign(np.full(10, np.inf))
    with pytest.raises(
        RuntimeError, match="in epoch 1, step 20, the loss was nan .* lower learning rate"
    ):
        fit(model, fresh_digits(), RECIPE, tmp_path / "run")
    assert not (tmp_path / "run" / "model.keras").exists()


def test_a_folder_of_another_run_is_refused(finished, digits):
    run, _ = finished
    with pytest.raises(FileExistsError, match="started with another training;"):
        fit(small_model(), digits, Recipe(epochs=4), run.path, facts=FACTS)


def test_no_decay_of_biases_and_normalization(digits, tmp_path):
    model = small_model()
    # Without a gradient, decay alone changes weights.
    recipe = Recipe(epochs=1, batch_size=64, learning_rate=0.01, weight_decay=5.0)

    class Nothing(keras.losses.Loss):
        def call(self, y_true, y_pred):
            return keras.ops.sum(0.0 * y_pred, axis=-1)

    before = [np.array(weight) for weight in model.trainable_variables]
    fit(model, digits, recipe, tmp_path / "run", loss=Nothing())
    for weight, value in zip(model.trainable_variables, before, strict=True):
        after = np.array(weight)
        if weight.name == "kernel":
            assert np.abs(after).sum() < 0.9 * np.abs(value).sum()
        else:
            np.testing.assert_array_equal(after, value)


def test_the_moving_average_is_what_is_tested_and_kept(digits, tmp_path):
    recipe = Recipe(epochs=2, batch_size=64, learning_rate=5e-3, schedule="constant", ema=0.9)
    run = RunFolder(tmp_path / "run")
    model = small_model()
    history = fit(model, digits, recipe, run.path)
    kept = run.load_model()
    metrics = classify(kept, digits["validation"]).metrics()
    assert metrics["accuracy"] == pytest.approx(best_epoch(history)["val_accuracy"], abs=1e-6)
    assert metrics["loss"] == pytest.approx(best_epoch(history)["val_loss"], rel=1e-3)
    # The checkpoint has the weights themselves, to resume from.
    raw = Checkpoints.of_run(run).load().arrays["model/0"]
    assert np.abs(raw - kept.get_weights()[0]).max() > 1e-4


def test_the_head_is_trained_first_and_then_all(digits, tmp_path, monkeypatch):
    recipe = Recipe(epochs=3, batch_size=64, learning_rate=1e-3, frozen_epochs=2)
    model = small_model()
    seen = []

    class Watch(fitting.Record):
        def on_epoch_end(self, epoch, logs=None):
            super().on_epoch_end(epoch, logs)
            seen.append([np.array(weight) for weight in self.model.weights])

    before = [np.array(weight) for weight in model.weights]
    monkeypatch.setattr(fitting, "Record", Watch)
    history = fit(model, digits, recipe, tmp_path / "run")
    assert [row["epoch"] for row in history] == [1, 2, 3]
    head = [model.layers[-1].kernel.path, model.layers[-1].bias.path]
    for weight, start, second, third in zip(model.weights, before, seen[1], seen[2], strict=True):
        if weight.path in head:
            assert np.abs(second - start).max() > 0
        else:  # moving averages of normalization included
            np.testing.assert_array_equal(second, start)
        assert np.abs(third - second).max() > 0


def test_auxiliary_heads_learn_and_are_left_out(digits, tmp_path):
    inputs = keras.Input((8, 8, 1))
    x = keras.layers.Flatten()(inputs)
    early = keras.layers.Dense(10, name="auxiliary1")(x)
    x = keras.layers.Dense(32, activation="relu")(x)
    model = keras.Model(inputs, [keras.layers.Dense(10, name="logits")(x), early])
    before = np.array(model.get_layer("auxiliary1").kernel)
    run = RunFolder(tmp_path / "run")
    history = fit(model, digits, RECIPE, run.path)
    assert set(history[0]) == {"epoch", "loss", "accuracy", "val_loss", "val_accuracy", "seconds"}
    assert history[-1]["val_accuracy"] > 0.7
    assert np.abs(np.array(model.get_layer("auxiliary1").kernel) - before).max() > 0.01
    kept = run.load_model()
    assert [layer.name for layer in kept.layers if layer.weights][-1] == "logits"
    metrics = classify(kept, digits["validation"]).metrics()
    assert metrics["accuracy"] == pytest.approx(best_epoch(history)["val_accuracy"], abs=1e-6)


def test_mixed_images_and_mixed_precision(tmp_path):
    recipe = Recipe(
        epochs=4,
        batch_size=64,
        learning_rate=5e-3,
        precision="mixed_bfloat16",
        label_smoothing=0.1,
        augmentation=data.Augmentation(mixup=0.2),
    )
    keras.utils.set_random_seed(0)
    mixed = pipelines(batch_size=64, augment=recipe.augmentation)
    with precision_scope(recipe.precision):
        model = small_model()
    history = fit(model, mixed, recipe, tmp_path / "run")
    assert history[-1]["val_accuracy"] > 0.8
    kept = RunFolder(tmp_path / "run").load_model()
    assert kept.layers[-1].compute_dtype == "bfloat16"
    with pytest.raises(ValueError, match="precision 'mixed_bfloat16'; it computes in float32"):
        fit(small_model(), mixed, recipe, tmp_path / "other")


def test_a_model_that_was_kept_loads_without_what_trained_it(finished):
    run, _ = finished
    assert not run.load_model().compiled


def test_what_was_frozen_before_stays_frozen(digits, tmp_path):
    inner = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Conv2D(4, 3), keras.layers.Conv2D(4, 3)]
    )
    inner.layers[0].trainable = False
    inputs = keras.Input((8, 8, 1))
    x = keras.layers.Flatten()(inner(inputs))
    model = keras.Model(inputs, keras.layers.Dense(10)(x))
    before = [np.array(weight) for weight in inner.weights]
    for epochs, frozen in ((2, 1), (1, 0)):
        recipe = Recipe(epochs=epochs, batch_size=64, frozen_epochs=frozen)
        fit(model, digits, recipe, tmp_path / str(frozen))
        moved = [
            np.abs(np.array(weight) - start).max() > 0
            for weight, start in zip(inner.weights, before, strict=True)
        ]
        assert moved == [False, False, True, True]


def test_the_head_may_be_several_layers(digits, tmp_path, monkeypatch):
    inputs = keras.Input((8, 8, 1))
    x = keras.layers.Flatten()(keras.layers.Conv2D(4, 3, name="conv")(inputs))
    x = keras.layers.Dense(16, activation="relu", name="head_dense1")(x)
    model = keras.Model(inputs, keras.layers.Dense(10, name="logits")(x))
    learning = []

    class Watch(fitting.Record):
        def on_epoch_begin(self, epoch, logs=None):
            super().on_epoch_begin(epoch, logs)
            learning.append([w.path.split("/")[0] for w in self.model.trainable_weights])

    monkeypatch.setattr(fitting, "Record", Watch)
    recipe = Recipe(epochs=2, batch_size=64, frozen_epochs=1)
    fit(model, digits, recipe, tmp_path / "run", head=["head_dense1", "logits"])
    assert set(learning[0]) == {"head_dense1", "logits"}
    assert set(learning[1]) == {"conv", "head_dense1", "logits"}


def test_a_mixed_model_is_not_trained_as_float32(digits, tmp_path):
    with precision_scope("mixed_bfloat16"):
        inputs = keras.Input((8, 8, 1))
        x = keras.layers.Flatten()(keras.layers.Conv2D(4, 3)(inputs))
    model = keras.Model(inputs, keras.layers.Dense(10)(x))
    with pytest.raises(ValueError, match="'float32'; it computes in bfloat16, float32"):
        fit(model, digits, RECIPE, tmp_path / "run")


def test_only_checkpoints_of_the_run_are_resumed_and_removed(digits, tmp_path):
    run = RunFolder(tmp_path / "run")
    fit(small_model(), digits, RECIPE, run)
    own = run.checkpoints / "epoch_0003_batch_000000.state"
    names = ("best", "0003_copy", "3", "0003_batch_7")
    kept = [run.checkpoints / f"epoch_{name}.state" for name in names]
    for path in kept:
        path.write_bytes(own.read_bytes())
    assert last_checkpoint(run) == (3, own)
    # Five digits come after four, though not in the order of text.
    for epoch in (9999, 10_000):
        path = run.checkpoints / f"epoch_{epoch:04d}_batch_000000.state"
        with run.writing(path) as temporary:
            temporary.touch()
    assert last_checkpoint(run)[0] == 10_000
    (run.checkpoints / "epoch_10001_batch_000000.state").touch()
    with pytest.raises(FileExistsError, match=r"epoch_10001.* is not a file of the run"):
        fit(small_model(), digits, RECIPE, run)
    assert all(path.exists() for path in kept)


def test_the_earlier_run_is_deleted_with_the_first_checkpoint(digits, tmp_path, monkeypatch):
    run = RunFolder(tmp_path / "run")
    fit(small_model(), digits, RECIPE, run)
    old = run.clear()
    recipe = Recipe(epochs=2, batch_size=64)
    diverging = small_model()
    diverging.layers[-1].bias.assign(np.full(10, np.inf))
    with pytest.raises(RuntimeError, match="diverged"):
        fit(diverging, fresh_digits(), recipe, run)
    assert RunFolder(old).load_model()
    there = []

    class Watch(fitting.Record):
        def on_epoch_end(self, epoch, logs=None):
            there.append(old.exists())
            super().on_epoch_end(epoch, logs)
            there.append(old.exists())

    monkeypatch.setattr(fitting, "Record", Watch)
    fit(small_model(), fresh_digits(), recipe, run)
    assert there == [True, True, False, False]
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize(
    ("backend", "xla", "expected"),
    [("tensorflow", True, "auto"), ("tensorflow", False, False), ("jax", False, "auto")],
)
def test_xla_is_a_choice_on_tensorflow_alone(backend, xla, expected, monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    assert fitting.jit_compile(Recipe(epochs=1, xla=xla)) == expected


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="XLA is a choice there only")
def test_steps_compiled_by_xla_learn_the_same(finished, digits, tmp_path, monkeypatch):
    # As `fit` compiles them where there is a GPU.
    compile_model = keras.Model.compile

    def compile_with_xla(self, *args, **kwargs):
        assert kwargs.pop("jit_compile") == "auto"
        compile_model(self, *args, jit_compile=True, **kwargs)

    monkeypatch.setattr(keras.Model, "compile", compile_with_xla)
    again = fresh_digits()  # seeds the model as well
    history = fit(small_model(), again, RECIPE, tmp_path / "run", facts={"seed": 0})
    for row, plain in zip(history, finished[1], strict=True):
        assert abs(row["loss"] - plain["loss"]) < 0.02
        assert abs(row["val_accuracy"] - plain["val_accuracy"]) < 0.03
