"""Gradient descent, and its stochastic form on small batches."""

import numpy as np


def gradient_descent(parameters, gradients, learning_rate):
    """One step downhill: `p - learning_rate * g` for each parameter array."""
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
    """Stochastic gradient descent: each step follows the gradient of one small batch.

    `loss_and_gradients(parameters, x, y)` returns the loss of a batch, and its gradients in the
    order of `parameters`. Every epoch shuffles the examples and cuts them into batches. Yields
    `(loss, parameters)` for every step: the loss before it, the parameters after it.

    Momentum lets each parameter roll: its velocity is `v = momentum * v - learning_rate * g`, and
    the step `p + v`. Without momentum, a step is that of `gradient_descent`.
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
