import keras
import numpy as np
import pytest

from kerascnn.arguments import UsageError
from kerascnn.models import create_model
from kerascnn.models.rows import MLPConfig
from tests.models.check_model import channels_first, mixed_precision

SMALL = MLPConfig(units=(8, 6))


def test_counts_the_parameters_of_the_example_of_keras():
    model = create_model("mlp")
    assert model.count_params() == 669_706
    parameters = [layer.count_params() for layer in model.layers if layer.weights]
    assert parameters == [401_920, 262_656, 5_130]


def test_layer_names_are_fixed():
    assert [layer.name for layer in create_model("mlp").layers] == [
        "images",
        "head_flatten",
        "head_dense1",
        "head_dropout1",
        "head_dense2",
        "head_dropout2",
        "logits",
    ]


def test_trains_saves_and_reloads(tmp_path):
    keras.utils.set_random_seed(0)
    model = create_model(SMALL, (5, 4, 3), num_classes=2, dropout=0.1)
    x, y = np.random.default_rng(0).uniform(size=(8, 5, 4, 3)), np.arange(8) % 2
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss)
    losses = model.fit(x, y, epochs=30, verbose=0).history["loss"]
    assert losses[-1] < 0.8 * losses[0]
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-5)


def test_logits_are_float32_under_mixed_precision():
    with mixed_precision():
        model = create_model(SMALL, (5, 4, 3), 2)
    assert model.layers[-2].output.dtype == "bfloat16"
    assert model.output.dtype == "float32"


def test_channels_first():
    with channels_first():
        model = create_model("mlp")
    assert model.input_shape == (None, 1, 28, 28)
    assert model.count_params() == 669_706


def test_size_must_be_known():
    with pytest.raises(ValueError, match="must have a known height and width; got"):
        create_model("mlp", (28, None, 1))


@pytest.mark.parametrize("options", [{"features_only": True}, {"include_top": False}])
def test_has_no_feature_maps(options):
    with pytest.raises(UsageError, match="'mlp' has no feature maps; got include_top="):
        create_model("mlp", **options)
