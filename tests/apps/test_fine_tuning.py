import json
import types

import keras
import numpy as np
import pytest

from kerascnn.data import ClassificationData
from kerascnn.training import RunFolder
from kerascnn_apps.classify.train import Start, Task
from tests.apps.commands import output, predictions


def test_fine_tuning_begins_with_the_trunk_of_another_run(trained, pictures, tmp_path, capsys):
    out = tmp_path / "run"
    train = ("classify", "train", "--data", pictures, "--weights", trained, "--out", out)
    output(capsys, *train, "--epochs", 6)
    recipe = json.loads((out / "recipe.json").read_text())
    assert recipe["training"]["frozen_epochs"] == 2
    assert recipe["model"]["name"] == "lenet5"
    assert recipe["data"]["image_shape"] == [28, 28, 1]  # the trunk's
    (result,) = predictions(capsys, out, pictures / "red" / "0.png")
    assert result["probabilities"].keys() == {"red", "blue"}
    error = output(capsys, *train[:-1], tmp_path / "other", "--model", "mlp", status=2).err
    assert "`model` must be that of the weights, 'lenet5'; got model='mlp'" in error
    error = output(capsys, *train[:-1], tmp_path / "other", "--image-size", 32, status=2).err
    assert "`image_size` must be that of the weights, 28; got image_size=32" in error
    # One epoch of so small steps leaves the trunk near where it was.
    output(capsys, *train[:-1], tmp_path / "near", "--epochs", 1, "--learning-rate", 1e-6)
    source, near = (RunFolder(folder).load_model() for folder in (trained, tmp_path / "near"))
    for layer, other in zip(source.layers[:-1], near.layers[:-1], strict=True):
        for weight, expected in zip(other.get_weights(), layer.get_weights(), strict=True):
            np.testing.assert_allclose(weight, expected, atol=1e-4)


def test_fine_tuning_begins_with_weights_of_imagenet(monkeypatch):
    source = keras.applications.MobileNetV2(weights=None, include_top=False)
    monkeypatch.setattr(keras.applications, "MobileNetV2", lambda **kwargs: source)
    start = Start.of(Task(data="colors", weights="imagenet"))
    colors = ClassificationData("colors", ("red", "blue"), (64, 64, 3), {"train": 9}, {}, None)
    model = start.model(colors)
    assert start.name == "mobilenet_v2"
    assert model.output_shape == (None, 2)
    np.testing.assert_array_equal(
        model.get_layer("last_conv").kernel, source.get_layer("Conv_1").kernel
    )
    assert [name for name in start.head(model) if model.get_layer(name).weights] == ["logits"]
    recipe = start.recipe(Task(data="colors", overrides={"epochs": 4}), 9, 3)
    assert (recipe.epochs, recipe.frozen_epochs) == (4, 1)


@pytest.mark.parametrize(
    ("size", "expected"), [((40, 60), (40, 60)), ((20, 60), (28, 28)), ((3000, 4000), (28, 28))]
)
def test_images_of_one_size_keep_it_if_the_model_bears_it(size, expected, capsys):
    task = Task(data="pictures")
    source = types.SimpleNamespace(stored_shape=(*size, 3))
    assert Start.of(task).image_size(task, source) == expected
    told = "4000x3000, resized to 28x28 for the model (--image-size takes another)"
    assert (told in capsys.readouterr().out) == (size == (3000, 4000))
