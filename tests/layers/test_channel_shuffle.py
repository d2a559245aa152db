import keras
import numpy as np
import pytest

from kerascnn import ops, reference
from kerascnn.layers import ChannelShuffle
from tests.gradients import value_and_gradients
from tests.layers.check_layer import check_layer

SHAPES = {"vectors": (4, 6), "sequences": (2, 5, 6), "images": (2, 3, 4, 6)}


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_contract(shape, data_format):
    if data_format == "channels_first":
        shape = (shape[0], shape[-1], *shape[1:-1])
    arguments = {"groups": 3, "data_format": data_format}
    check_layer(ChannelShuffle, arguments, input_shape=shape, output_shape=shape)


@pytest.mark.parametrize("groups", [1, 2, 3, 6])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_values_and_gradients_follow_the_formula(shape, groups):
    x, dy = np.random.default_rng(0).normal(size=(2, *shape)).astype("float32")
    expected = reference.channel_shuffle(x, groups)
    dx = reference.channel_shuffle_backward(dy, groups)
    for data_format in ("channels_last", "channels_first"):
        to = 1 if data_format == "channels_first" else -1
        y, (gradient,) = value_and_gradients(
            lambda x, data_format=data_format: ops.channel_shuffle(x, groups, data_format),
            [np.moveaxis(x, -1, to)],
            upstream=np.moveaxis(dy, -1, to),
        )
        np.testing.assert_array_equal(y, np.moveaxis(expected, -1, to))
        np.testing.assert_array_equal(gradient, np.moveaxis(dx, -1, to))


def test_as_many_groups_as_a_group_had_channels_shuffle_back():
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 12)).astype("float32")
    y = ChannelShuffle(3)(x)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(ChannelShuffle(4)(y)), x)


@pytest.mark.extra("torch")
@pytest.mark.parametrize("groups", [2, 3, 4])
def test_equals_pytorch(groups):
    import torch

    x = np.random.default_rng(0).normal(size=(2, 12, 3, 4)).astype("float32")
    y = ChannelShuffle(groups, data_format="channels_first")(x)
    expected = torch.nn.ChannelShuffle(groups)(torch.from_numpy(x)).numpy()
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(y), expected)


def test_integers_move_as_well():
    x = np.arange(24, dtype="uint8").reshape(1, 2, 2, 6)
    y = keras.ops.convert_to_numpy(ops.channel_shuffle(x, 2))
    np.testing.assert_array_equal(y, reference.channel_shuffle(x, 2))


def test_op_is_a_node_of_a_functional_model(tmp_path):
    inputs = keras.Input((None, None, 6))
    model = keras.Model(inputs, ops.channel_shuffle(inputs, 2))
    assert model.output_shape == (None, None, None, 6)
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 6)).astype("float32")
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(x, verbose=0), reference.channel_shuffle(x, 2))


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        ((1, 3, 4, 5), r"must divide .*; got groups=2 with 5 channels \(input shape \(1, 3, 4, 5"),
        ((4,), r"`inputs` must have at least rank 2; got rank 1 \(shape \(4,\)\)"),
    ],
)
def test_wrong_shapes_fail_alike_eagerly_and_symbolically(shape, sentence):
    for call in (ChannelShuffle(2), lambda x: ops.channel_shuffle(x, 2)):
        for x in (np.zeros(shape, "float32"), keras.Input(batch_shape=shape)):
            with pytest.raises(ValueError, match=sentence):
                call(x)


def test_unknown_channels():
    with pytest.raises(ValueError, match=r"channels must be known; got shape \(None, 4, None\)"):
        ChannelShuffle(2)(keras.Input((4, None)))


@pytest.mark.parametrize("groups", [0, -1, 1.5, "2", (2, 2)])
def test_wrong_groups(groups):
    with pytest.raises(ValueError, match="`groups` must be an int of at least 1; got groups="):
        ChannelShuffle(groups)
