import keras
import numpy as np
import pytest

from kerascnn import ops, reference
from kerascnn.layers import PixelShuffle, PixelUnshuffle
from tests.gradients import value_and_gradients
from tests.layers.check_layer import check_layer


def channels_first(x):
    return np.moveaxis(x, -1, 1)


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_contract(mode, data_format):
    arguments = {"block_size": 2, "mode": mode, "data_format": data_format}
    if data_format == "channels_last":
        small, large = (2, 3, 4, 8), (2, 6, 8, 2)
    else:
        small, large = (2, 8, 3, 4), (2, 2, 6, 8)
    check_layer(PixelShuffle, arguments, input_shape=small, output_shape=large)
    check_layer(PixelUnshuffle, arguments, input_shape=large, output_shape=small)


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
@pytest.mark.parametrize("block_size", [1, 2, 3, (1, 3), (3, 2)])
def test_values_follow_the_formula(mode, block_size):
    rows, columns = (block_size,) * 2 if isinstance(block_size, int) else block_size
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 2 * rows * columns)).astype("float32")
    expected = reference.pixel_shuffle(x, rows, columns, mode)
    for data_format, view in (("channels_last", np.asarray), ("channels_first", channels_first)):
        arguments = {"mode": mode, "data_format": data_format}
        y = PixelShuffle(block_size, **arguments)(view(x))
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(y), view(expected))
        back = PixelUnshuffle(block_size, **arguments)(y)
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(back), view(x))
        np.testing.assert_array_equal(
            view(reference.pixel_unshuffle(expected, rows, columns, mode)), view(x)
        )


def test_modes_are_those_of_tensorflow_and_pytorch():
    # One pixel with 2 x 2 blocks of two channels, worked out by hand from the two definitions.
    x = np.arange(8, dtype="float32").reshape(1, 1, 1, 8)
    dcr = keras.ops.convert_to_numpy(PixelShuffle(2, mode="DCR")(x))
    crd = keras.ops.convert_to_numpy(PixelShuffle(2, mode="CRD")(x))
    np.testing.assert_array_equal(dcr[0], [[[0, 1], [2, 3]], [[4, 5], [6, 7]]])
    np.testing.assert_array_equal(crd[0], [[[0, 4], [1, 5]], [[2, 6], [3, 7]]])


def test_equals_tensorflow_depth_to_space():
    import tensorflow as tf

    x = np.random.default_rng(0).normal(size=(2, 3, 4, 18)).astype("float32")
    y = keras.ops.convert_to_numpy(PixelShuffle(3)(x))
    np.testing.assert_array_equal(y, tf.nn.depth_to_space(x, 3))


@pytest.mark.extra("torch")
def test_equals_pytorch_pixel_shuffle():
    import torch

    x = np.random.default_rng(0).normal(size=(2, 18, 3, 4)).astype("float32")
    y = PixelShuffle(3, mode="CRD", data_format="channels_first")(x)
    expected = torch.nn.PixelShuffle(3)(torch.from_numpy(x)).numpy()
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(y), expected)


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
def test_gradient_is_the_inverse_shuffle(mode):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 3, 4, 12)).astype("float32")
    dy = rng.normal(size=(2, 6, 12, 2)).astype("float32")
    _, (dx,) = value_and_gradients(PixelShuffle((2, 3), mode=mode), [x], upstream=dy)
    np.testing.assert_array_equal(dx, reference.pixel_unshuffle(dy, 2, 3, mode))
    _, (dx,) = value_and_gradients(PixelUnshuffle((2, 3), mode=mode), [dy], upstream=x)
    np.testing.assert_array_equal(dx, reference.pixel_shuffle(x, 2, 3, mode))


def test_op_is_a_node_of_a_functional_model(tmp_path):
    inputs = keras.Input((None, None, 8))
    model = keras.Model(inputs, ops.pixel_shuffle(inputs, 2, mode="CRD"))
    assert model.output_shape == (None, None, None, 2)
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 8)).astype("float32")
    expected = reference.pixel_shuffle(x, 2, 2, "CRD")
    np.testing.assert_array_equal(model.predict(x, verbose=0), expected)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(x, verbose=0), expected)


def test_a_model_keeps_the_data_format_that_it_was_made_in(tmp_path):
    before = keras.config.image_data_format()
    try:
        keras.config.set_image_data_format("channels_first")
        inputs = keras.Input((8, 4, 6))
        keras.Model(inputs, ops.pixel_shuffle(inputs, 2)).save(tmp_path / "model.keras")
        keras.config.set_image_data_format("channels_last")
        model = keras.saving.load_model(tmp_path / "model.keras")
        assert model.output_shape == (None, 2, 8, 12)
        x = np.random.default_rng(0).normal(size=(2, 8, 4, 6)).astype("float32")
        expected = reference.pixel_shuffle(x.transpose(0, 2, 3, 1), 2, 2).transpose(0, 3, 1, 2)
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(model(x)), expected)
    finally:
        keras.config.set_image_data_format(before)


def test_integers_move_as_well():
    x = np.arange(16, dtype="uint8").reshape(1, 2, 2, 4)
    y = keras.ops.convert_to_numpy(ops.pixel_shuffle(x, 2))
    np.testing.assert_array_equal(y, reference.pixel_shuffle(x, 2, 2))


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda x: PixelShuffle(2)(x), "got block_size=2 with 6 channels"),
        (lambda x: ops.pixel_shuffle(x, 2), "got block_size=2 with 6 channels"),
        (lambda x: PixelUnshuffle(2)(x), "got block_size=2 with 3x4 pixels"),
        (lambda x: ops.pixel_unshuffle(x, 2), "got block_size=2 with 3x4 pixels"),
        (lambda x: ops.pixel_shuffle(x[0], 1), "`inputs` must have rank 4; got rank 3"),
    ],
)
def test_wrong_shapes_fail_alike_eagerly_and_symbolically(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call(np.zeros((1, 3, 4, 6), "float32"))
    with pytest.raises(ValueError, match=sentence):
        call(keras.Input(batch_shape=(1, 3, 4, 6)))


@pytest.mark.parametrize("block_size", [0, -1, 1.5, (2,), (2, 0), "2"])
def test_wrong_block_size(block_size):
    with pytest.raises(ValueError, match="`block_size` must be an int or a pair of ints"):
        PixelShuffle(block_size)


def test_wrong_mode_and_data_format():
    with pytest.raises(ValueError, match="`mode` must be one of 'DCR', 'CRD'; got mode='RCD'"):
        PixelShuffle(2, mode="RCD")
    with pytest.raises(ValueError, match="`data_format` must be one of"):
        PixelUnshuffle(2, data_format="NHWC")
