import keras
import numpy as np
import pytest

from kerascnn import layers
from kerascnn.models import create_model
from kerascnn.models.alexnet import FAMILIES, VARIANTS
from kerascnn.models.rows import AlexNetConfig
from tests.models.check_model import channels_first, mixed_precision

SMALL = AlexNetConfig(
    filters=(4, 8, 12, 8, 8),
    groups=(1, 2, 1, 2, 2),
    normalization="before_pooling",
    units=(16, 16),
)


def maps(model, kind):
    return [tuple(layer.output.shape[1:]) for layer in model.layers if isinstance(layer, kind)]


# Krizhevsky et al., 2012, section 3.5, kernel by kernel, and a bias for each filter
@pytest.mark.usefixtures("without_weights")
def test_parameters_of_the_paper():
    model = create_model("alexnet")
    assert [layer.count_params() for layer in model.layers if layer.weights] == [
        11 * 11 * 3 * 96 + 96,
        5 * 5 * 48 * 256 + 256,
        3 * 3 * 256 * 384 + 384,
        3 * 3 * 192 * 384 + 384,
        3 * 3 * 192 * 256 + 256,
        6 * 6 * 256 * 4096 + 4096,
        4096 * 4096 + 4096,
        4096 * 1000 + 1000,
    ]
    sizes = [height for height, _, _ in maps(model, layers.GroupConv2D)]
    assert sizes == [55, 27, 13, 13, 13]
    assert maps(model, keras.layers.MaxPooling2D) == [(27, 27, 96), (13, 13, 256), (6, 6, 256)]


@pytest.mark.usefixtures("without_weights")
def test_single_column():
    model = create_model("alexnet_single_column")
    assert model.count_params() == 61_100_840
    assert maps(model, keras.layers.MaxPooling2D) == [(27, 27, 64), (13, 13, 192), (6, 6, 256)]


def test_layer_names_are_fixed():
    def names(config):
        return [layer.name for layer in create_model(config, (67, 67, 3), 10).layers]

    stages = ["images", "stage1_conv1", "stage1_lrn", "stage1_pool"]
    stages += ["stage2_conv1", "stage2_lrn", "stage2_pool"]
    stages += ["stage3_conv1", "stage3_conv2", "stage3_conv3", "stage3_pool"]
    dense = [f"head_{kind}{i}" for i in (1, 2) for kind in ("dense", "dropout")]
    head = ["head_flatten", *dense, "logits"]
    assert names(SMALL) == stages + head
    plain = AlexNetConfig(filters=(4, 8, 12, 8, 8), units=(16, 16))
    assert names(plain) == [name for name in stages if "lrn" not in name] + head


def test_constants_of_the_paper():
    layer = create_model("alexnet", include_top=False).get_layer("stage1_lrn")
    assert (layer.size, layer.k, layer.alpha, layer.beta) == (5, 2.0, 1e-4, 0.75)
    assert layer.divide_alpha is False


def test_names_in_torchvision():
    known = FAMILIES[1].torchvision_names(SMALL)
    model = create_model(SMALL, (67, 67, 3), 10)
    assert [known[layer.name] for layer in model.layers if layer.weights] == [
        *("features.0", "features.3", "features.6", "features.8", "features.10"),
        *("classifier.1", "classifier.4", "classifier.6"),
    ]


def test_dropout_and_preprocessing_are_options():
    model = create_model(SMALL, (67, 67, 3), 10, dropout=0.2, preprocessing="torch")
    assert model.get_layer("head_dropout2").rate == 0.2
    assert model.get_layer("preprocessing")


def test_without_the_top():
    model = create_model(SMALL, (None, None, 3), include_top=False)
    assert model.predict(np.zeros((1, 99, 67, 3)), verbose=0).shape == (1, 2, 1, 8)
    assert create_model(SMALL, (99, 99, 3), include_top=False, pooling="max").output_shape == (
        None,
        8,
    )


@pytest.mark.nightly  # a step and a reload by day: tests/models/test_every_model.py
def test_trains_saves_and_reloads(tmp_path):
    keras.utils.set_random_seed(0)
    model = create_model(SMALL, (67, 83, 3), num_classes=2, dropout=0.1)
    x, y = np.random.default_rng(0).normal(size=(4, 67, 83, 3)), np.arange(4) % 2
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.003), loss)
    losses = model.fit(x, y, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < 0.8 * losses[0]
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_allclose(
        again.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-4, atol=1e-5
    )


def test_logits_are_float32_under_mixed_precision():
    with mixed_precision():
        model = create_model(SMALL, (67, 67, 3), 10)
    assert model.layers[-2].output.dtype == "bfloat16"
    assert model.output.dtype == "float32"


def test_channels_first():
    last = create_model(SMALL, (83, 67, 3), 10)
    with channels_first():
        first = create_model(SMALL, (3, 83, 67), 10)
    first.set_weights(last.get_weights())
    x = np.random.default_rng(0).uniform(size=(2, 83, 67, 3)).astype("float32")
    np.testing.assert_allclose(
        first.predict(np.moveaxis(x, -1, 1), verbose=0),
        last.predict(x, verbose=0),
        rtol=1e-4,
        atol=1e-5,
    )


@pytest.mark.parametrize(("name", "smallest"), [("alexnet", 67), ("alexnet_single_column", 63)])
def test_smallest_images(name, smallest):
    shape = (smallest, smallest, 3)
    assert create_model(name, shape, include_top=False).output_shape[1:3] == (1, 1)
    with pytest.raises(ValueError, match=f"of at least {smallest} pixels; got"):
        create_model(name, (300, smallest - 1, 3))


def test_wrong_arguments():
    with pytest.raises(ValueError, match="must have a known height and width; got"):
        create_model("alexnet", (227, None, 3))
    with pytest.raises(ValueError, match="`normalization` must be one of None, 'before_pooling'"):
        create_model(AlexNetConfig(filters=VARIANTS["alexnet"].filters, normalization="batch"))
