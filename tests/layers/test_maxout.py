import keras
import numpy as np
import pytest

from kerascnn import ops, reference
from kerascnn.layers import Maxout
from tests.gradients import value_and_gradients
from tests.layers.check_layer import check_layer


@pytest.mark.parametrize(
    ("input_shape", "output_shape", "axis"),
    [
        ((4, 6), (4, 3), -1),
        ((2, 5, 6), (2, 5, 3), -1),
        ((2, 4, 5, 6), (2, 4, 5, 3), 3),
    ],
)
def test_contract(input_shape, output_shape, axis):
    check_layer(Maxout, {"units": 3, "axis": axis}, input_shape, output_shape)


@pytest.mark.parametrize("units", [1, 2, 3, 6])
@pytest.mark.parametrize("shape", [(4, 6), (2, 5, 6), (2, 3, 4, 6)])
@pytest.mark.parametrize("axis", [-1, 1])
def test_values_and_gradients_follow_the_formula(axis, shape, units):
    rng = np.random.default_rng(0)
    x = rng.normal(size=shape).astype("float32")
    expected = reference.maxout(x, units)
    dy = rng.normal(size=expected.shape).astype("float32")
    y, (dx,) = value_and_gradients(
        lambda x: ops.maxout(x, units, axis),
        [np.moveaxis(x, -1, axis)],
        upstream=np.moveaxis(dy, -1, axis),
    )
    np.testing.assert_array_equal(y, np.moveaxis(expected, -1, axis))
    gradient = reference.maxout_backward(dy, x)
    np.testing.assert_allclose(dx, np.moveaxis(gradient, -1, axis), rtol=1e-6)


def test_two_pieces_make_an_absolute_value():
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2), Maxout(1)])
    model.layers[0].set_weights([np.array([[1.0, -1.0]]), np.zeros(2)])
    x = np.linspace(-2, 2, 9, dtype="float32")[:, None]
    np.testing.assert_allclose(model.predict(x, verbose=0), np.abs(x), rtol=1e-6)


def test_unknown_sizes_with_channels_first():
    inputs = keras.Input((6, None, None))
    model = keras.Model(inputs, Maxout(2, axis=1)(inputs))
    assert model.output_shape == (None, 2, None, None)
    x = np.random.default_rng(0).normal(size=(2, 6, 3, 4)).astype("float32")
    expected = np.moveaxis(reference.maxout(np.moveaxis(x, 1, -1), 2), -1, 1)
    np.testing.assert_array_equal(model.predict(x, verbose=0), expected)


def test_a_mask_passes_along_the_other_axes():
    x = keras.layers.Masking()(np.ones((2, 3, 4), "float32"))
    assert Maxout(2)(x)._keras_mask is not None
    assert Maxout(2).supports_masking
    assert not Maxout(2, axis=1).supports_masking


def test_op_is_a_node_of_a_functional_model(tmp_path):
    inputs = keras.Input((None, 6))
    model = keras.Model(inputs, ops.maxout(inputs, 2))
    assert model.output_shape == (None, None, 2)
    x = np.random.default_rng(0).normal(size=(2, 3, 6)).astype("float32")
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(x, verbose=0), reference.maxout(x, 2))


def test_integers_stay_integers():
    x = np.arange(12, dtype="int32").reshape(2, 6)
    y = keras.ops.convert_to_numpy(ops.maxout(x, 2))
    np.testing.assert_array_equal(y, reference.maxout(x, 2))
    assert y.dtype == "int32"


@pytest.mark.parametrize(
    ("axis", "sentence"),
    [
        (-1, r"got units=4 with 6 channels on axis 2 \(input shape \(2, 3, 6\)\)"),
        (5, r"`axis` must name an axis of the input; got axis=5 with shape \(2, 3, 6\)"),
    ],
)
def test_wrong_shapes_fail_alike_eagerly_and_symbolically(axis, sentence):
    for call in (Maxout(4, axis), lambda x: ops.maxout(x, 4, axis)):
        for x in (np.zeros((2, 3, 6), "float32"), keras.Input(batch_shape=(2, 3, 6))):
            with pytest.raises(ValueError, match=sentence):
                call(x)


def test_unknown_channels():
    with pytest.raises(ValueError, match="got units=4 with None channels on axis 2"):
        Maxout(4)(keras.Input((3, None)))


@pytest.mark.parametrize("units", [0, 1.5, "2"])
def test_wrong_units(units):
    with pytest.raises(ValueError, match="`units` must be an int of at least 1; got units="):
        Maxout(units)
