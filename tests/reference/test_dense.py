import keras
import numpy as np

from kerascnn import reference
from tests.reference.finite_differences import check_backward


def test_gradients_are_the_numeric_ones():
    rng = np.random.default_rng(0)
    x, kernel, bias = rng.normal(size=(3, 4)), rng.normal(size=(4, 2)), rng.normal(size=2)
    check_backward(
        reference.dense,
        lambda dy, x, kernel, bias: reference.dense_backward(dy, x, kernel),
        x,
        kernel,
        bias,
    )


def test_equals_keras():
    rng = np.random.default_rng(0)
    layer = keras.layers.Dense(3, bias_initializer="random_normal")
    x = rng.normal(size=(5, 4)).astype("float32")
    expected = keras.ops.convert_to_numpy(layer(x))
    np.testing.assert_allclose(
        reference.dense(x, *layer.get_weights()), expected, rtol=1e-5, atol=1e-6
    )


def test_by_hand():
    x, kernel, bias = np.array([[1, 2], [3, 4]]), np.array([[1, 0], [10, 1]]), np.array([100, 200])
    np.testing.assert_array_equal(reference.dense(x, kernel, bias), [[121, 202], [143, 204]])
    dx, dkernel, dbias = reference.dense_backward(np.array([[1, 0], [0, 1]]), x, kernel)
    np.testing.assert_array_equal(dx, [[1, 10], [0, 1]])
    np.testing.assert_array_equal(dkernel, [[1, 3], [2, 4]])
    np.testing.assert_array_equal(dbias, [1, 1])
