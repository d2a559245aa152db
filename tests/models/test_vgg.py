import re

import keras
import numpy as np
import pytest

from kerascnn.models import create_model
from kerascnn.models.rows import VGGConfig
from kerascnn.models.vgg import FAMILIES, VARIANTS
from tests.models.check_model import channels_first, mixed_precision

SMALL = VGGConfig(depths=(1, 2, 2), widths=(4, 6, 8), units=(16, 16))


def weighted(model):
    return [layer.name for layer in model.layers if layer.weights]


# Simonyan and Zisserman, 2015, table 1, and a bias for each filter
@pytest.mark.usefixtures("without_weights")
def test_parameters_of_column_d():
    model = create_model("vgg16", (32, 32, 3))
    pairs = [(3, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 256)]
    pairs += [(256, 512), *[(512, 512)] * 5]
    assert [layer.count_params() for layer in model.layers if layer.weights] == [
        *(9 * channels * filters + filters for channels, filters in pairs),
        512 * 4096 + 4096,
        4096 * 4096 + 4096,
        4096 * 1000 + 1000,
    ]


@pytest.mark.parametrize(
    ("name", "application"),
    [("vgg16", keras.applications.VGG16), ("vgg19", keras.applications.VGG19)],
)
@pytest.mark.usefixtures("without_weights")
def test_names_in_keras(name, application):
    (family,) = FAMILIES
    assert family.pretrained[name].application == application.__name__
    renamed = []
    for layer in weighted(create_model(name, (32, 32, 3))):
        for pattern, rule in family.keras_names(VARIANTS[name]).items():
            if match := re.fullmatch(pattern, layer):
                renamed.append(rule(*map(int, match.groups())) if callable(rule) else rule)
    theirs = application(weights=None, input_shape=(32, 32, 3))
    assert renamed == weighted(theirs)


# The indices of the convolutions in `torchvision.models.vgg...().features`
@pytest.mark.parametrize(
    ("name", "indices"),
    [
        ("vgg11", [0, 3, 6, 8, 11, 13, 16, 18]),
        ("vgg13", [0, 2, 5, 7, 10, 12, 15, 17, 20, 22]),
        ("vgg16", [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28]),
        ("vgg19", [0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34]),
    ],
)
@pytest.mark.usefixtures("without_weights")
def test_names_in_torchvision(name, indices):
    (family,) = FAMILIES
    known = family.torchvision_names(VARIANTS[name])
    found = [known[layer] for layer in weighted(create_model(name, (32, 32, 3)))]
    classifier = [f"classifier.{i}" for i in (0, 3, 6)]
    assert found == [f"features.{i}" for i in indices] + classifier


def test_layer_names_are_fixed():
    names = [layer.name for layer in create_model(SMALL, (8, 8, 3), 10).layers]
    assert names == [
        *("images", "stage1_conv1", "stage1_pool", "stage2_conv1", "stage2_conv2", "stage2_pool"),
        *("stage3_conv1", "stage3_conv2", "stage3_pool", "head_flatten"),
        *("head_dense1", "head_dropout1", "head_dense2", "head_dropout2", "logits"),
    ]


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.usefixtures("without_weights")
def test_features_by_stride(name):
    model = create_model(name, (None, None, 3), features_only=True)
    layers = {stride: maps._keras_history.operation.name for stride, maps in model.output.items()}
    depths = VARIANTS[name].depths
    expected = {2**i: f"stage{i + 1}_conv{depth}" for i, depth in enumerate(depths)}
    assert layers == {**expected, 32: "stage5_pool"}


def test_features_have_their_strides():
    model = create_model(SMALL, (None, None, 3), features_only=True)
    found = model.predict(np.zeros((1, 24, 16, 3)), verbose=0)
    shapes = {stride: maps.shape[1:] for stride, maps in found.items()}
    assert shapes == {1: (24, 16, 4), 2: (12, 8, 6), 4: (6, 4, 8), 8: (3, 2, 8)}


def test_without_the_top():
    assert create_model(SMALL, (None, None, 3), include_top=False).output_shape == (
        None,
        None,
        None,
        8,
    )
    model = create_model(SMALL, (None, None, 3), include_top=False, pooling="avg")
    assert model.output_shape == (None, 8)


def test_dropout_and_preprocessing_are_options():
    model = create_model(SMALL, (8, 8, 3), 10, dropout=0.2, preprocessing="caffe")
    assert model.get_layer("head_dropout1").rate == 0.2
    assert model.get_layer("preprocessing")


@pytest.mark.nightly  # a step and a reload by day: tests/models/test_every_model.py
def test_trains_saves_and_reloads(tmp_path):
    keras.utils.set_random_seed(0)
    model = create_model(SMALL, (8, 12, 3), num_classes=2, dropout=0.1)
    x, y = np.random.default_rng(0).normal(size=(8, 8, 12, 3)), np.arange(8) % 2
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss)
    losses = model.fit(x, y, epochs=30, verbose=0).history["loss"]
    assert losses[-1] < 0.8 * losses[0]
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_allclose(
        again.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-4, atol=1e-5
    )


def test_logits_are_float32_under_mixed_precision():
    with mixed_precision():
        model = create_model(SMALL, (8, 8, 3), 10)
    assert model.layers[-2].output.dtype == "bfloat16"
    assert model.output.dtype == "float32"


def test_channels_first():
    last = create_model(SMALL, (16, 8, 3), 10)
    with channels_first():
        first = create_model(SMALL, (3, 16, 8), 10)
    first.set_weights(last.get_weights())
    x = np.random.default_rng(0).uniform(size=(2, 16, 8, 3)).astype("float32")
    np.testing.assert_allclose(
        first.predict(np.moveaxis(x, -1, 1), verbose=0),
        last.predict(x, verbose=0),
        rtol=1e-4,
        atol=1e-5,
    )


def test_wrong_input_shapes():
    with pytest.raises(ValueError, match=r"of at least 32 pixels; got input_shape=\(31, 32, 3\)"):
        create_model("vgg11", (31, 32, 3))
    with pytest.raises(ValueError, match="must have a known height and width; got"):
        create_model("vgg11", (None, 32, 3))
