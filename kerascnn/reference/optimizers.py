"""Gradient descent, and stochastic gradient descent on mini-batches."""

import numpy as np


def gradient_descent(parameters, gradients, learning_rate):
    """One step: `p - learning_rate * g` for each parameter array."""
    return [p - learning_rate * g for p, g in zip(parameters, gradients, strict=True)]


def sgd(
    loss_and_gradients,
    parameters,
    x,
    y,
    learning_rate,
    batch_size,
    epochs=1,
    momentum=0.0,
    seed=0,
):
    """Stochastic gradient descent: each step uses the gradient of one mini-batch.

    `loss_and_gradients(parameters, x, y)` returns the loss of a batch, and its gradients in the
    order of `parameters`. Every epoch shuffles the examples and splits them into batches. Yields
    `(loss, parameters)` for every step: the loss before it, and the parameters after it.

    With momentum, each parameter has a velocity `v = momentum * v - learning_rate * g`, and the
    step is `p + v`. Without momentum, a step is the same as in `gradient_descent`.
    """
    rng = np.random.default_rng(seed)
    velocities = [np.zeros_like(p) for p in parameters]
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for start in range(0, len(x), batch_size):
            batch = order[start : start + batch_size]
            loss, gradients = loss_and_gradients(parameters, x[batch], y[batch])
            velocities = [
                momentum * v - learning_rate * g for v, g in zip(velocities, gradients, strict=True)
            ]
            parameters = [p + v for p, v in zip(parameters, velocities, strict=True)]
            yield loss, parameters
