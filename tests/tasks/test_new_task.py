"""A task of somebody else, through `Task` alone: counting the bright pixels of an image."""

import io
import json
from dataclasses import dataclass

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import kerascnn
from kerascnn import runs, tasks
from kerascnn.export import Serving
from kerascnn.export.runtimes.saved_model import read_metadata
from kerascnn.runs.start import start_of
from kerascnn.tasks import registry
from kerascnn.tasks.recipes import Recipes
from kerascnn.tasks.task import Evaluation, Table, Task
from kerascnn.training import Recipe


@dataclass
class Count:
    bright: float

    def save(self, paths):
        paths["count"].parent.mkdir(exist_ok=True)
        paths["count"].write_text(f"{self.bright:.1f}")

    def json(self):
        return {"bright": self.bright}

    def line(self):
        return f"{self.bright:.1f} bright pixels"


class Dots:
    """Images of 8x8 pixels, some of them bright."""

    name = "dots"
    num_examples = {"train": 256, "validation": 32, "test": 32}  # noqa: RUF012

    def arrays(self, split):
        rng = np.random.default_rng(list(self.num_examples).index(split))
        shape = (self.num_examples[split], 8, 8, 1)
        images = (rng.uniform(size=shape) < rng.uniform(size=(shape[0], 1, 1, 1))) * 1.0
        return images.astype("float32"), images.sum(axis=(1, 2, 3), dtype="float32")

    def pipeline(self, split, batch_size=32):
        return tf.data.Dataset.from_tensor_slices(self.arrays(split)).batch(batch_size)

    def examples(self, split):
        for number, (image, count) in enumerate(zip(*self.arrays(split), strict=True)):
            yield f"{number}", (image * 255).astype(np.uint8), count


def closeness(y_true, y_pred):
    return -keras.ops.mean(keras.ops.abs(keras.ops.reshape(y_true, (-1, 1)) - y_pred), axis=-1)


class CountingTask(Task):
    name = "counting"
    command = "count"
    recipes = Recipes({"quick": Recipe(epochs=8, batch_size=16, learning_rate=0.1)})
    recipe_class = Recipe
    embedded = ("dots",)
    default_model = ("sum", {})
    pretrained_model = None
    pretrained_option = None
    starts_from = ("counting",)

    def recipe(self, request, start, data=None):
        return self.recipes.choose(request.recipe or "quick", start.model, request.changes)

    def load(self, request, start, recipe):
        return Dots()

    def reload(self, record, name, data_dir):
        return Dots()

    def model(self, start, data, recipe):
        layers = [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(1)]
        return keras.Sequential(layers)

    def objective(self, data, recipe, model):
        return keras.losses.MeanSquaredError(), closeness

    def pipeline(self, data, split, recipe, seed, model):
        return data.pipeline(split, recipe.batch_size)

    def evaluate(self, model, data, splits, record):
        images, counts = data.arrays(splits[0])
        error = float(np.abs(model.predict_on_batch(images)[:, 0] - counts).mean())
        return Evaluation(
            {"error": error}, f"off by {error:.2f}", Table(("split", "error"), [("test", "1")])
        )

    def preview(self, data, start, recipe, seed, title):
        images, _ = data.arrays("train")
        return kerascnn.visualize.reconstructions(images[:4], images[:4], title)

    def channels(self, model):
        return 1

    def files(self, place, record):
        return {"count": place.with_suffix(".txt")}

    def predict(self, model, images, record):
        for image in images:
            yield Count(float(model.predict_on_batch(image[np.newaxis] / np.float32(255))[0, 0]))

    def serving(self, model, record):
        def check(image, found, tolerance=None):
            return 0.0 if np.isfinite(found["bright"]) else np.inf

        return Serving(
            1,
            lambda network, images: {"bright": network(images)[:, 0]},
            check,
            size=(8, 8),
            metadata={"task": "counting"},
        )


@pytest.fixture(scope="module")
def task():
    yield tasks.register(CountingTask())
    del registry._TASKS["counting"]


@pytest.fixture(scope="module")
def finished(task, tmp_path_factory):
    said = []
    folder = tmp_path_factory.mktemp("runs") / "dots"
    assert runs.train(task, tasks.Request(), folder, say=said.append) == (folder, True)
    assert said[0].startswith("test off by 0.")
    return folder


def test_it_trains(finished, task):
    assert json.loads((finished / "metrics.json").read_text())["test"]["error"] < 1
    assert json.loads((finished / "recipe.json").read_text())["task"] == "counting"
    assert len(list((finished / "examples").iterdir())) == 6
    assert runs.train(task, tasks.Request(), finished, say=lambda line: None) == (finished, False)


def test_it_evaluates(finished):
    evaluation, _ = runs.evaluate(finished)
    metrics = json.loads((finished / "metrics.json").read_text())["test"]
    assert evaluation.numbers == metrics


def test_it_predicts(finished, tmp_path):
    image = np.zeros((8, 8), np.uint8)
    image[:3] = 255
    Image.fromarray(image).save(tmp_path / "three_rows.png")
    ((_, prediction),) = runs.predict(finished, [tmp_path / "three_rows.png"], tmp_path / "out")
    assert prediction.json()["bright"] == pytest.approx(24, abs=2)
    assert float((tmp_path / "out" / "three_rows.txt").read_text()) == pytest.approx(24, abs=2)


def test_it_shows_its_data(task, tmp_path):
    path = runs.show_data(task, tasks.Request(), tmp_path / "dots.png")
    with Image.open(path) as drawn:
        assert drawn.size[0] > 300


def test_it_is_exported(finished, tmp_path):
    version = runs.export(finished, tmp_path).path
    assert read_metadata(version)["task"] == "counting"


@pytest.mark.extra("serve")
def test_it_is_served(finished, tmp_path):
    from starlette.testclient import TestClient

    from kerascnn_apps.serve.plan import Plan

    image = np.zeros((8, 8), np.uint8)
    image[:5] = 255
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    plan = Plan({"counting": runs.export(finished, tmp_path).path})
    with TestClient(plan.app()) as client:
        answer = client.post("/predict", content=file.getvalue()).json()
    assert answer["bright"] == pytest.approx(40, abs=2)


@pytest.mark.parametrize("model", ["autoencoder", "lenet5"])
def test_it_may_train_a_model_of_any_task(task, model):
    assert start_of(task, tasks.Request(model=model)).model == model


def test_a_second_task_of_its_name_is_refused(task):
    with pytest.raises(ValueError, match="Two tasks are named 'counting'"):
        tasks.register(CountingTask())


def test_unknown_names_list_the_known():
    with pytest.raises(ValueError, match="`task` must be one of 'classification', .*'singing'"):
        tasks.get_task("singing")
