"""A network of the reference's operations learns digits, step by step like the same in Keras."""

import keras
import numpy as np
import pytest
from sklearn.datasets import load_digits

from kerascnn import reference

LEARNING_RATE, MOMENTUM = 0.1, 0.9


def initial_parameters():
    """Two convolution kernels, and the kernel and bias of the dense layer."""
    rng = np.random.default_rng(0)
    shapes = (3, 3, 1, 8), (3, 3, 8, 16), (64, 10)
    kernels = [
        rng.normal(scale=np.sqrt(2 / np.prod(shape[:-1])), size=shape).astype("float32")
        for shape in shapes
    ]
    return [*kernels, np.zeros(10, "float32")]


def loss_and_gradients(parameters, x, labels):
    kernel1, kernel2, kernel3, bias3 = parameters
    conv1 = reference.group_conv2d(x, kernel1, padding="same")
    active1 = reference.relu(conv1)
    pooled1, _ = reference.max_pool2d(active1, (2, 2))
    conv2 = reference.group_conv2d(pooled1, kernel2, padding="same")
    active2 = reference.relu(conv2)
    pooled2 = reference.average_pool2d(active2, (2, 2))
    flat = pooled2.reshape(len(x), -1)
    logits = reference.dense(flat, kernel3, bias3)
    loss = reference.softmax_cross_entropy(logits, labels)

    dlogits = reference.softmax_cross_entropy_backward(1.0, logits, labels)
    dflat, dkernel3, dbias3 = reference.dense_backward(dlogits, flat, kernel3)
    dpooled2 = dflat.reshape(pooled2.shape)
    dactive2 = reference.average_pool2d_backward(dpooled2, active2, (2, 2))
    dconv2 = reference.relu_backward(dactive2, conv2)
    dpooled1, dkernel2 = reference.group_conv2d_backward(dconv2, pooled1, kernel2, padding="same")
    dactive1 = reference.max_pool2d_backward(dpooled1, active1, (2, 2))
    dconv1 = reference.relu_backward(dactive1, conv1)
    _, dkernel1 = reference.group_conv2d_backward(dconv1, x, kernel1, padding="same")
    return loss, [dkernel1, dkernel2, dkernel3, dbias3]


def keras_model():
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(8, 3, padding="same", use_bias=False, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(16, 3, padding="same", use_bias=False, activation="relu"),
            layers.AveragePooling2D(2),
            layers.Flatten(),
            layers.Dense(10),
        ]
    )
    model.compile(
        keras.optimizers.SGD(LEARNING_RATE, MOMENTUM),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    model.set_weights(initial_parameters())
    return model


def test_losses_follow_keras_step_by_step():
    digits = load_digits()
    x = (digits.images[:320, :, :, None] / 8 - 1).astype("float32")
    labels = digits.target[:320]
    batches = []

    def watched(parameters, x, labels):
        batches.append((x, labels))
        return loss_and_gradients(parameters, x, labels)

    steps = reference.sgd(
        watched, initial_parameters(), x, labels, LEARNING_RATE, 32, 2, momentum=MOMENTUM
    )
    losses, parameters = zip(*steps, strict=True)
    model, expected = keras_model(), []
    for images, targets in batches:
        model.reset_metrics()
        expected.append(float(model.train_on_batch(images, targets)))
    assert len(losses) == 20
    np.testing.assert_allclose(losses, expected, atol=1e-4, rtol=0)
    for ours, theirs in zip(parameters[-1], model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)
    assert losses[0] == pytest.approx(np.log(10), abs=0.5)
    assert np.mean(losses[-3:]) < 0.5 * losses[0]
