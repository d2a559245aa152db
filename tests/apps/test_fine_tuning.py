import json
import shutil
import types

import keras
import numpy as np
import pytest

from kerascnn.runs.start import start_of
from kerascnn.tasks import Request, get_task
from kerascnn.tasks.labelled_images import _image_size, remarks
from kerascnn.tasks.start import Start
from kerascnn.training import RunFolder
from tests.apps.commands import output, predictions
from tests.nightly import every_night


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
    assert "`model` must match the weights, 'lenet5'; got model='mlp'" in error
    error = output(capsys, *train[:-1], tmp_path / "other", "--image-size", 32, status=2).err
    assert "`image_size` must match the weights, 28; got image_size=32" in error


@pytest.mark.nightly
def test_one_epoch_of_small_steps_leaves_the_trunk_where_it_was(
    trained, pictures, tmp_path, capsys
):
    train = ("classify", "train", "--data", pictures, "--weights", trained, "--out")
    output(capsys, *train, tmp_path / "near", "--epochs", 1, "--learning-rate", 1e-6)
    source, near = (RunFolder(folder).load_model() for folder in (trained, tmp_path / "near"))
    for layer, other in zip(source.layers[:-1], near.layers[:-1], strict=True):
        for weight, expected in zip(other.get_weights(), layer.get_weights(), strict=True):
            np.testing.assert_allclose(weight, expected, atol=1e-4)


def test_a_trunk_that_was_frozen_in_the_best_epoch_learns_again(trained, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    model = RunFolder(run).load_model()
    for layer in model.layers[:-1]:
        layer.trainable = False
    model.save(run / "model.keras")
    start = start_of(get_task("classification"), Request(weights=str(run)))
    again = start.build((28, 28, 1), 3)
    assert len(again.trainable_weights) == len(again.weights) == 10


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["classify", "--recipe", "finetune"], "set `weights`, or use another recipe"),
        (["segment", "--recipe", "finetune"], "got recipe='finetune'"),
        (["segment", "--weights", "RUN"], "a run of an encoder (densenet121,"),
        (["segment", "--model", "unet", "--weights", "imagenet"], "no ImageNet weights for the"),
        (["classify", "--option", "include_top=false"], "`include_top` cannot be a model option"),
        (["classify", "--option", "widht=3"], "The options of 'lenet5' are"),
        (["classify", "--option", "pooling=1"], "`pooling` cannot be a model option"),
        (["segment", "--option", "width=4", "--option", "width=8"], "got 'width' twice"),
    ],
)
def test_wrong_starts_are_refused_before_data_are_read(words, sentence, trained, tmp_path, capsys):
    task, *words = (str(trained) if word == "RUN" else word for word in words)
    train = (task, "train", "--data", tmp_path / "absent", "--out", tmp_path / "run")
    error = output(capsys, *train, *words, status=2).err
    assert sentence in error
    assert not (tmp_path / "run").exists()


def test_fine_tuning_begins_with_weights_of_imagenet(monkeypatch):
    source = keras.applications.MobileNetV2(weights=None, include_top=False)
    monkeypatch.setattr(keras.applications, "MobileNetV2", lambda **kwargs: source)
    task, request = get_task("classification"), Request(weights="imagenet", changes={"epochs": 4})
    start = start_of(task, request)
    model = start.build((64, 64, 3), 2)
    assert start.model == "mobilenet_v2"
    assert model.output_shape == (None, 2)
    np.testing.assert_array_equal(
        model.get_layer("last_conv").kernel, source.get_layer("Conv_1").kernel
    )
    assert [name for name in start.head(model) if model.get_layer(name).weights] == ["logits"]
    recipe = task.recipe(request, start)
    assert (recipe.epochs, recipe.frozen_epochs) == (4, 1)


@pytest.mark.parametrize(
    ("size", "expected"), [((40, 60), (40, 60)), ((20, 60), (28, 28)), ((3000, 4000), (28, 28))]
)
def test_images_of_one_size_keep_it_if_the_model_bears_it(size, expected):
    assert _image_size(Request(), Start("lenet5"), (*size, 3)) == expected
    data = types.SimpleNamespace(stored_shape=(*size, 3), image_shape=(*expected, 3))
    said = [f"images:      {size[1]}x{size[0]}, resized to 28x28 (--image-size)"]
    assert remarks(data) == (said if size != expected else [])


@pytest.mark.nightly  # by day: with an encoder of ImageNet, and the refusals above
def test_segmentation_starts_with_the_encoder_of_a_classifier(scenery, tmp_path, capsys):
    classifier, out = tmp_path / "classifier", tmp_path / "run"
    train = ("classify", "train", "--data", scenery / "classify", "--image-size", 32)
    output(capsys, *train, "--model", "resnet20", "--epochs", 1, "--out", classifier)
    train = ("segment", "train", "--data", scenery / "segment", "--weights", classifier)
    train += ("--option", "width=2", "--crop-size", 32, 32, "--out", out)
    output(capsys, *train, "--epochs", 1, "--learning-rate", 1e-6)
    recipe = json.loads((out / "recipe.json").read_text())
    assert recipe["model"]["name"] == "unet_resnet18"
    assert recipe["model"]["options"] == {"encoder": "resnet20", "width": 2}
    assert recipe["model"]["weights"] == str(classifier)
    source, model = (RunFolder(folder).load_model() for folder in (classifier, out))
    # One epoch of so small steps leaves the encoder near where it was.
    kernels = [layer.name for layer in source.layers if "conv" in layer.name][:8]
    for name in kernels:
        np.testing.assert_allclose(
            model.get_layer(name).kernel, source.get_layer(name).kernel, atol=1e-4
        )
    # ... and a run of segmentation, its encoder and its decoder
    again = ("segment", "train", "--data", scenery / "segment", "--weights", out, "--epochs", 1)
    output(capsys, *again, "--crop-size", 32, 32, "--out", tmp_path / "again")
    error = output(capsys, *again, "--model", "unet", "--out", tmp_path / "no", status=2).err
    assert "`model` must match the weights, 'unet_resnet18'; got model='unet'" in error
    # Nothing else starts with such a run.
    upscale = ("upscale", "train", "--weights", classifier, "--out", tmp_path / "no")
    error = output(capsys, *upscale, status=2).err
    assert "must be a run of `kerascnn upscale train`; got" in error
    error = output(capsys, *upscale[:3], "imagenet", "--out", tmp_path / "no", status=2).err
    assert "there are no ImageNet weights for upscaling" in error
    assert not (tmp_path / "no").exists()


def test_segmentation_starts_with_weights_of_imagenet(monkeypatch):
    source = keras.applications.ResNet50(weights=None, include_top=False)
    monkeypatch.setattr(keras.applications, "ResNet50", lambda **kwargs: source)
    task, request = get_task("segmentation"), Request(data="streets", weights="imagenet")
    start = start_of(task, request)
    assert start.model == "unet_resnet50"
    recipe = task.recipe(request, start)
    assert 0 < recipe.frozen_epochs < recipe.epochs
    model = start.build((None, None, 3), 4)
    np.testing.assert_array_equal(
        model.get_layer("stage1_block1_conv2").kernel,
        source.get_layer("conv2_block1_2_conv").kernel,
    )
    head = set(start.head(model))
    learning = [layer.name for layer in model.layers if layer.trainable_weights]
    assert "logits" in head
    assert {name for name in learning if name.startswith("decoder")} <= head
    assert not [name for name in head if name.startswith("stage")]


@pytest.mark.nightly
@pytest.mark.parametrize("task", every_night(["upscale", "reconstruct"], {"reconstruct"}))
def test_more_of_the_same_task(task, small_runs, tmp_path, capsys, train_words):
    weights = small_runs[task]
    output(capsys, *train_words[task], "--weights", weights, "--out", tmp_path / task)
    first, second = (RunFolder(run).load_model() for run in (weights, tmp_path / task))
    distance = [np.abs(a - b).max() for a, b in zip(first.weights, second.weights, strict=True)]
    assert 0 < max(distance) < 0.1
