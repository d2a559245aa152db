"""Outputs and gradients of a function, whatever backend Keras runs on."""

import keras
import numpy as np


def value_and_gradients(function, arrays, upstream=None):
    """Returns `function(*arrays)` and the gradients of `sum(upstream * output)` by each array.

    Called inside `tf.function`, `jax.jit` or eagerly according to the backend, as `model.fit` does.
    """
    backend = keras.backend.backend()
    arrays = [np.asarray(array) for array in arrays]

    def loss(*tensors):
        y = function(*tensors)
        weight = 1.0 if upstream is None else keras.ops.cast(upstream, y.dtype)
        return keras.ops.sum(y * weight), y

    if backend == "tensorflow":
        import tensorflow as tf

        @tf.function
        def run(*tensors):
            with tf.GradientTape() as tape:
                tape.watch(tensors)
                total, y = loss(*tensors)
            return y, tape.gradient(total, tensors)

        y, gradients = run(*map(tf.convert_to_tensor, arrays))
    elif backend == "jax":
        import jax

        run = jax.jit(jax.value_and_grad(loss, argnums=tuple(range(len(arrays))), has_aux=True))
        (_, y), gradients = run(*arrays)
    else:
        tensors = [keras.ops.convert_to_tensor(array).requires_grad_() for array in arrays]
        total, y = loss(*tensors)
        total.backward()
        gradients = [tensor.grad for tensor in tensors]
    to_numpy = keras.ops.convert_to_numpy
    return to_numpy(y), [to_numpy(gradient) for gradient in gradients]
