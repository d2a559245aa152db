"""What every model owes: a training step, a file that loads again, and an export that answers."""

import dataclasses
import fnmatch

import keras
import numpy as np
import pytest

from kerascnn.models import create_model, list_models, model_info
from kerascnn.models.family import TASKS
from kerascnn.models.registry import row_of, rows
from tests import fresh_process
from tests.models.check_model import check_step
from tests.nightly import every_night

# The smallest images that show all of a network.
SIZES = {"mlp": 8, "lenet1": 28, "lenet5": 28, "lenet5_1998": 28, "alexnet": 67, "zfnet": 63}
SIZES |= {"neocognitron": 16, "neocognitron_1980": 16}
SIZES |= {"alexnet_single_column": 63, **dict.fromkeys(list_models("googlenet"), 64)}
CLASSES = 3
# Sides that no network halves without a rest, and fewer filters than the papers have
IMAGE_SIZE, OTHER_SIZE = (21, 26), (37, 18)
NARROW = {
    "fcn*": {"encoder": "vgg11", "units": 8},
    "segnet*": {"width": 8},
    "unet": {"width": 4},
    "unet_2015": {"width": 4, "depth": 2},
    "unet_resnet*": {"width": 4},
    "deeplabv3*": {"encoder": "resnet18", "width": 16},
    "edsr*": {"width": 8, "depth": 2},
}
BACKEND = keras.backend.backend()
# Architectures that the tests of their families train, with `check_model` or `check_image_model`
WITH_A_CONTRACT = {"autoencoder", "deeplabv3_resnet50", "densenet121", "espcn_x3", "fcn8s"}
WITH_A_CONTRACT |= {"edsr_baseline_x2", "googlenet", "mobilenet_v1", "mobilenet_v2", "segnet"}
WITH_A_CONTRACT |= {"segnet_basic", "shufflenet_v1_g3", "shufflenet_v2_x0_5", "unet", "unet_2015"}
WITH_A_CONTRACT |= {"shufflenet_v2_x1_0"}
# Exported by day: blocks of mixed channels, skip connections, pooling with indices, pixel shuffle
EXPORTED = {"shufflenet_v2_x0_5", "segnet_basic", "unet", "autoencoder", "espcn_x3"}


def distinct(task=None):
    """Names of models, without those that are the same network once they are cut."""
    found, daily = {}, of_each_kind()
    for name in sorted(list_models(task=task), key=lambda name: name not in daily):
        _, config, _ = row_of(name)
        found.setdefault(repr(cut_row(config)), name)
    return sorted(found.values())


def cut_row(config):
    """A row of the table of variants with two blocks in its first deep stage, and one in others.

    The first block of a stage widens and halves what the second one leaves as it is.
    """
    if not hasattr(config, "depths"):
        return config
    deep = next((i for i, depth in enumerate(config.depths) if depth > 1), None)
    return dataclasses.replace(
        config, depths=tuple(1 + (i == deep) for i in range(len(config.depths)))
    )


def of_each_family():
    """One model of each family, except those of segmentation with a deep ResNet inside."""
    classifiers = (family for _, family, _ in rows() if is_classifier(family))
    decoders = {"autoencoder", "fcn8s", "linknet", "segnet_basic", "unet", "unet_2015"}
    upscalers = {"edsr_baseline_x2", "espcn_x3"}
    return {next(iter(family.variants)) for family in classifiers} | decoders | upscalers


def of_each_kind():
    """One model of each family, and one of each other kind of block and decoder."""
    blocks = {"lenet5_1998", "resnet50", "resnext50_32x4d", "seresnet50", "resnext29_8x64d"}
    blocks |= {"shufflenet_v1_g3", "shufflenet_v2_x1_0"}
    if BACKEND == "tensorflow":
        blocks |= {"deeplabv3_resnet50", "segnet", "unet_resnet18"}
    return of_each_family() | blocks


def few():
    """Some of the models of each kind, with each way in which layers follow one another."""
    classifiers = {"alexnet", "densenet121", "googlenet", "lenet5", "lenet5_1998", "mobilenet_v2"}
    classifiers |= {"resnext50_32x4d", "seresnet50", "shufflenet_v2_x1_0", "vgg11"}
    return classifiers | {"autoencoder", "deeplabv3_resnet50", "edsr_baseline_x2", "unet"}


def is_classifier(model):
    return model.task == "classification"


def daily():
    """One model of each kind, whose other widths and depths are of the same layers.

    JAX compiles each operation of each shape: what every layer computes there is in tests/layers,
    and PyTorch takes the steps of models with other layers than a plain convolution. On TensorFlow,
    the contracts of families take them.
    """
    if BACKEND == "jax":
        return {"espcn_x3", "lenet5", "resnet18", "unet"}
    if BACKEND == "torch":
        plain = {"alexnet_single_column", "googlenet", "resnet50", "vgg11", "zfnet"}
        return of_each_kind() - plain
    assert of_each_kind() >= WITH_A_CONTRACT
    return of_each_kind() - WITH_A_CONTRACT


def small(name, image_size=IMAGE_SIZE, **options):
    """A model on small images, cut to no more than two blocks of a kind in each stage.

    `image_size` is that of the models for images of any size.
    """
    info = model_info(name)
    channels = info.input_shape[-1]
    if is_classifier(info):
        size, (_, config, _) = SIZES.get(name, 32), row_of(name)
        return create_model(cut_row(config), (size, size, channels), CLASSES, **options)
    for pattern, narrow in NARROW.items():
        if fnmatch.fnmatch(name, pattern):
            options = {**narrow, **options}
    classes = CLASSES if info.task == "segmentation" else None
    return create_model(name, (*image_size, channels), classes, **options)


def batch(name, model, image_size=IMAGE_SIZE):
    """Images, and what the model should answer."""
    rng = np.random.default_rng(0)
    task = model_info(name).task
    size = model.input_shape[1:3] if task == "classification" else image_size
    x = rng.uniform(size=(4, *size, model.input_shape[-1])).astype("float32")
    if task == "classification":
        return x, np.arange(4) % CLASSES
    if task == "segmentation":
        return x, rng.integers(CLASSES, size=(4, *image_size))
    factor = model_info(name).factor or 1
    return x, x.repeat(factor, 1).repeat(factor, 2)


@pytest.mark.parametrize(
    "name",
    every_night(distinct() if BACKEND == "tensorflow" else sorted(of_each_kind()), daily()),
)
def test_trains_one_step(name):
    keras.utils.set_random_seed(0)
    info = model_info(name)
    model = small(name, **info.training_options)
    x, y = batch(name, model)
    heads = len(model.outputs)
    loss = keras.losses.MeanSquaredError()
    if info.task in ("classification", "segmentation"):
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    # One step is not worth a graph; what JAX compiles for an operation serves the next model too.
    model.compile(keras.optimizers.SGD(1e-3), [loss] * heads, run_eagerly=True)
    check_step(model, x, (y,) * heads if heads > 1 else y)


# Runs in a process that never imports kerascnn.
ANSWER = """
import json, pathlib, sys
import numpy as np
import tensorflow as tf

folder = pathlib.Path(sys.argv[1])
for path in sorted(folder.glob("*.npz")):
    served = tf.saved_model.load(str(folder / path.stem))
    answers = [served.serve(tf.constant(x)).numpy() for x in np.load(path).values()]
    np.savez(folder / f"{path.stem}_answers", *answers)
assert "kerascnn" not in sys.modules
"""


@pytest.mark.skipif(BACKEND != "tensorflow", reason="a SavedModel is TensorFlow's")
@pytest.mark.parametrize("others", [False, pytest.param(True, marks=pytest.mark.nightly)])
@pytest.mark.parametrize("task", every_night(TASKS, [t for t in TASKS if t != "classification"]))
def test_saves_reloads_and_exports(task, others, tmp_path):
    """Those for images of any size do so for two sizes, neither of which they were built for.

    `others` and classifiers wait for the night: tests/export/test_runtimes.py exports every layer
    that they have, and the tests of each family save and load it.
    """
    expected = {}
    for name in distinct(task):
        if (name not in EXPORTED) != others:
            continue
        model = small(name, image_size=(None, None))
        sizes = (IMAGE_SIZE,) if task == "classification" else (IMAGE_SIZE, OTHER_SIZE)
        inputs = [batch(name, model, size)[0] for size in sizes]
        expected[name] = [np.asarray(model(x, training=False)) for x in inputs]
        model.save(tmp_path / "model.keras")
        again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
        for x, answer in zip(inputs, expected[name], strict=True):
            np.testing.assert_allclose(again(x, training=False), answer, rtol=1e-4, atol=1e-5)
        again.export(tmp_path / name, format="tf_saved_model", verbose=False)
        np.savez(tmp_path / f"{name}.npz", *inputs)
        keras.backend.clear_session()
    fresh_process.output(ANSWER, tmp_path)
    for name, answers in expected.items():
        found = np.load(tmp_path / f"{name}_answers.npz").values()
        for answer, of_export in zip(answers, found, strict=True):
            scale = np.abs(answer).max()
            np.testing.assert_allclose(of_export / scale, answer / scale, atol=1e-4, err_msg=name)
