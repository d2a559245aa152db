import keras
import numpy as np
import pytest

from kerascnn.models import create_model


# 6 * 25 + 6, 16 * 6 * 25 + 16, 400 * 120 + 120, 120 * 84 + 84, 84 * 10 + 10: the form that
# PyTorch's and d2l.ai's tutorials build counts 61,706 parameters.
@pytest.mark.parametrize("input_shape", [(28, 28, 1), (32, 32, 1)])
def test_lenet5_counts_its_published_parameters(input_shape):
    model = create_model("lenet5", input_shape)
    assert model.count_params() == 61_706
    assert [layer.count_params() for layer in model.layers if layer.weights] == [
        156,
        2_416,
        48_120,
        10_164,
        850,
    ]


def test_28_pixels_are_32_pixels_with_a_black_frame():
    small, large = create_model("lenet5", (28, 28, 1)), create_model("lenet5", (32, 32, 1))
    large.set_weights(small.get_weights())
    x = np.random.default_rng(0).uniform(size=(3, 28, 28, 1)).astype("float32")
    framed = np.pad(x, [(0, 0), (2, 2), (2, 2), (0, 0)])
    np.testing.assert_allclose(
        large.predict(framed, verbose=0), small.predict(x, verbose=0), rtol=1e-4, atol=1e-5
    )


def test_golden_output():
    # Weights from NumPy's generator, so that the numbers hold on every backend.
    model = create_model("lenet5", num_classes=3)
    rng = np.random.default_rng(0)
    model.set_weights([0.05 * rng.normal(size=w.shape) for w in model.weights])
    x = rng.uniform(size=(1, 28, 28, 1)).astype("float32")
    y = model.predict(x, verbose=0)
    np.testing.assert_allclose(y, GOLDEN, rtol=1e-3)


GOLDEN = [[0.0044762, 0.0129976, -0.0743218]]


def test_layer_names_are_fixed():
    names = [layer.name for layer in create_model("lenet5").layers]
    assert names == [
        "images",
        "stage1_conv",
        "stage1_pool",
        "stage2_conv",
        "stage2_pool",
        "flatten",
        "head_dense1",
        "head_dense2",
        "logits",
    ]


def test_trains_saves_and_reloads(tmp_path):
    model = create_model("lenet5", (12, 16, 3), num_classes=2)
    rng = np.random.default_rng(0)
    x, y = rng.uniform(size=(8, 12, 16, 3)), np.arange(8) % 2
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss)
    losses = model.fit(x, y, epochs=30, verbose=0).history["loss"]
    assert losses[-1] < 0.8 * losses[0]
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-5)


def test_channels_first():
    keras.config.set_image_data_format("channels_first")
    try:
        model = create_model("lenet5")
    finally:
        keras.config.set_image_data_format("channels_last")
    assert model.input_shape == (None, 1, 28, 28)
    assert model.count_params() == 61_706


@pytest.mark.parametrize("input_shape", [(11, 28, 1), (None, None, 1), (28, 1)])
def test_wrong_input_shape(input_shape):
    with pytest.raises(ValueError, match="`input_shape` must have"):
        create_model("lenet5", input_shape)
