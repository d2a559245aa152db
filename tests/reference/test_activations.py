import keras
import numpy as np
import pytest

from kerascnn import reference
from tests.reference.finite_differences import check_backward

FUNCTIONS = ["relu", "sigmoid", "softmax"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradient_is_the_numeric_one(name):
    x = np.random.default_rng(0).normal(size=(3, 2, 5))
    assert np.abs(x).min() > 1e-3  # no element lies on the kink of ReLU
    check_backward(getattr(reference, name), getattr(reference, f"{name}_backward"), x)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_equals_keras(name):
    x = np.random.default_rng(0).normal(scale=3.0, size=(3, 2, 5)).astype("float32")
    expected = keras.ops.convert_to_numpy(getattr(keras.activations, name)(x))
    np.testing.assert_allclose(getattr(reference, name)(x), expected, rtol=1e-5, atol=1e-7)


def test_relu_by_hand():
    x = np.array([-2.0, 0.0, 3.0])
    np.testing.assert_array_equal(reference.relu(x), [0, 0, 3])
    np.testing.assert_array_equal(reference.relu_backward(np.full(3, 5.0), x), [0, 0, 5])


def test_sigmoid_by_hand():
    x = np.array([-np.log(3), 0, np.log(3)])
    np.testing.assert_allclose(reference.sigmoid(x), [0.25, 0.5, 0.75])
    np.testing.assert_allclose(reference.sigmoid_backward(16, x), [3, 4, 3])


def test_softmax_by_hand():
    x = np.log([[1.0, 2.0, 5.0]])
    np.testing.assert_allclose(reference.softmax(x), [[1 / 8, 2 / 8, 5 / 8]])
    dx = reference.softmax_backward(np.array([[64.0, 0.0, 0.0]]), x)
    np.testing.assert_allclose(dx, [[7, -2, -5]])


def test_large_inputs_neither_overflow_nor_vanish():
    x = np.array([-1000.0, -40.0, 40.0, 1000.0])
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        np.testing.assert_allclose(reference.sigmoid(x), [0, np.exp(-40), 1, 1], rtol=1e-12)
        slopes = reference.sigmoid_backward(1.0, x)
        np.testing.assert_allclose(slopes, [0, np.exp(-40), np.exp(-40), 0], rtol=1e-12)
        np.testing.assert_allclose(reference.softmax(x), [0, 0, 0, 1])
