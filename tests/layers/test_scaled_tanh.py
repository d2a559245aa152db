import keras
import numpy as np
import pytest

from kerascnn import ops, reference
from kerascnn.layers import ScaledTanh
from tests.gradients import value_and_gradients
from tests.layers.check_layer import check_layer


@pytest.mark.parametrize("arguments", [{}, {"amplitude": 2, "slope": 0.5}])
@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 4, 5)])
def test_contract(shape, arguments):
    check_layer(ScaledTanh, arguments, input_shape=shape, output_shape=shape)


@pytest.mark.parametrize("constants", [(), (2.0, 0.5)])
def test_values_and_gradients_follow_the_formula(constants):
    x, dy = np.random.default_rng(0).normal(scale=2.0, size=(2, 5, 6))
    y, (dx,) = value_and_gradients(ScaledTanh(*constants), [x.astype("float32")], upstream=dy)
    np.testing.assert_allclose(y, reference.scaled_tanh(x, *constants), rtol=1e-5)
    expected = reference.scaled_tanh_backward(dy, x, *constants)
    np.testing.assert_allclose(dx, expected, rtol=1e-4, atol=1e-6)


def test_is_about_1_at_1():
    y = keras.ops.convert_to_numpy(ops.scaled_tanh(np.array([-1.0, 0.0, 1.0], "float32")))
    np.testing.assert_allclose(y, [-1.0, 0.0, 1.0], atol=1e-4)


def test_integers_become_floats():
    y = ops.scaled_tanh(np.array([-1, 0, 1]))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(y), [-1.0, 0.0, 1.0], atol=1e-4)


def test_is_an_activation_that_is_saved(tmp_path):
    inputs = keras.Input((3,))
    x = keras.layers.Dense(4, activation=ops.scaled_tanh)(inputs)
    x = keras.layers.Activation(ops.scaled_tanh)(x)
    model = keras.Model(inputs, ops.scaled_tanh(x, amplitude=2.0))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert again.layers[1].activation is ops.scaled_tanh
    x = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    expected = x @ model.get_weights()[0]
    for amplitude in (1.7159, 1.7159, 2.0):
        expected = reference.scaled_tanh(expected, amplitude)
    for found in (model, again):
        np.testing.assert_allclose(found.predict(x, verbose=0), expected, rtol=1e-4)


def test_wrong_arguments():
    with pytest.raises(ValueError, match="steep"):
        ScaledTanh(slope="steep")
