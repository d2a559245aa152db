import keras
import numpy as np
import pytest

if keras.backend.backend() != "tensorflow":
    pytest.skip("TensorFlow kernels are for the TensorFlow backend", allow_module_level=True)

import tensorflow as tf

from kerascnn import ops, reference

CONSTANTS = {"size": 4, "beta": 0.75, "k": 1.5}


def random_case():
    return np.random.default_rng(0).normal(size=(2, 2, 3, 4, 7)).astype("float32")


@pytest.mark.parametrize("jit_compile", [False, True])
def test_in_a_graph_and_under_xla(jit_compile):
    x, dy = random_case()

    @tf.function(jit_compile=jit_compile)
    def step(x, dy):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = ops.local_response_normalization(x, alpha=0.5, **CONSTANTS)
        return y, tape.gradient(y, x, dy)

    y, dx = step(tf.constant(x), tf.constant(dy))
    expected = reference.local_response_normalization(x, a=0.5, **CONSTANTS)
    gradient = reference.local_response_normalization_backward(dy, x, a=0.5, **CONSTANTS)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(dx, gradient, rtol=1e-4, atol=1e-5)


def test_the_gradient_can_be_derived_again():
    x, dy = (tf.constant(array) for array in random_case())

    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = ops.local_response_normalization(x, alpha=0.5, **CONSTANTS)
        return tape.gradient(y, x, dy)

    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(gradient(x))
    found = tape.gradient(total, x)
    index = (1, 2, 3, 4)
    step = np.zeros(x.shape, "float32")
    step[index] = 1e-2
    numeric = tf.reduce_sum(gradient(x + step) - gradient(x - step)) / 2e-2
    np.testing.assert_allclose(found[index], numeric, rtol=1e-2, atol=1e-3)
