import keras
import numpy as np
import pytest

from kerascnn import reference
from tests.reference.finite_differences import check_backward


def test_gradient_of_the_cross_entropy_is_the_numeric_one():
    labels = np.array([2, 0, 1, 2])
    check_backward(
        lambda logits: reference.softmax_cross_entropy(logits, labels),
        lambda dloss, logits: reference.softmax_cross_entropy_backward(dloss, logits, labels),
        np.random.default_rng(0).normal(size=(4, 3)),
    )


def test_gradient_of_the_squared_loss_is_the_numeric_one():
    y, target = np.random.default_rng(0).normal(size=(2, 3, 4))
    check_backward(
        lambda y: reference.squared_loss(y, target),
        lambda dloss, y: reference.squared_loss_backward(dloss, y, target),
        y,
    )


@pytest.mark.extra("torch")
def test_cross_entropy_equals_pytorch():
    import torch

    rng = np.random.default_rng(0)
    logits, labels = rng.normal(scale=4.0, size=(6, 5)), rng.integers(5, size=6)
    tensor = torch.from_numpy(logits).requires_grad_()
    loss = torch.nn.functional.cross_entropy(tensor, torch.from_numpy(labels))
    loss.backward()
    np.testing.assert_allclose(
        reference.softmax_cross_entropy(logits, labels), loss.item(), rtol=1e-12
    )
    np.testing.assert_allclose(
        reference.softmax_cross_entropy_backward(1.0, logits, labels),
        tensor.grad.numpy(),
        rtol=1e-10,
        atol=1e-12,
    )


def test_squared_loss_equals_keras():
    y, target = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    expected = keras.ops.convert_to_numpy(keras.losses.MeanSquaredError()(target, y))
    np.testing.assert_allclose(reference.squared_loss(y, target), expected, rtol=1e-5)


def test_cross_entropy_by_hand():
    logits = np.log([[1.0, 3.0], [1.0, 1.0]])
    loss = reference.softmax_cross_entropy(logits, np.array([0, 1]))
    np.testing.assert_allclose(loss, (np.log(4) + np.log(2)) / 2)
    dlogits = reference.softmax_cross_entropy_backward(1.0, logits, np.array([0, 1]))
    np.testing.assert_allclose(dlogits, [[-3 / 8, 3 / 8], [1 / 4, -1 / 4]])


def test_large_logits_do_not_overflow():
    logits, labels = np.array([[1000.0, 0.0], [-1000.0, 0.0]]), np.array([1, 1])
    with np.errstate(all="raise", under="ignore"):
        assert reference.softmax_cross_entropy(logits, labels) == 500.0
        dlogits = reference.softmax_cross_entropy_backward(1.0, logits, labels)
    np.testing.assert_array_equal(dlogits, [[0.5, -0.5], [0.0, 0.0]])


def test_squared_loss_by_hand():
    y, target = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 0.0], [0.0, 4.0]])
    assert reference.squared_loss(y, target) == 13 / 4
    np.testing.assert_array_equal(
        reference.squared_loss_backward(1.0, y, target), [[0, 1], [1.5, 0]]
    )
