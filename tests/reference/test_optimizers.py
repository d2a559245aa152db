import keras
import numpy as np
import pytest

from kerascnn import reference


def line(parameters, x, y):
    """Squared loss of `slope * x + offset`, and its gradients."""
    slope, offset = parameters
    dy = reference.squared_loss_backward(1.0, slope * x + offset, y)
    return reference.squared_loss(slope * x + offset, y), [(dy * x).sum(), dy.sum()]


def test_gradient_descent_by_hand():
    parameters = [np.array([1.0, 2.0]), np.array(3.0)]
    gradients = [np.array([10.0, -10.0]), np.array(5.0)]
    weights, offset = reference.gradient_descent(parameters, gradients, 0.1)
    np.testing.assert_allclose(weights, [0.0, 3.0])
    np.testing.assert_allclose(offset, 2.5)
    np.testing.assert_array_equal(parameters[0], [1.0, 2.0])


def test_sgd_on_all_examples_is_gradient_descent():
    x = np.array([0.0, 1.0, 2.0, 3.0])
    y = 2 * x + 1
    start = expected = [np.array(0.0), np.array(0.0)]
    for loss, parameters in reference.sgd(line, start, x, y, 0.1, batch_size=4, epochs=100):
        expected_loss, gradients = line(expected, x, y)
        expected = reference.gradient_descent(expected, gradients, 0.1)
        np.testing.assert_allclose(loss, expected_loss, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(parameters, expected, rtol=1e-9)
    np.testing.assert_allclose(parameters, [2.0, 1.0], atol=0.01)


def test_sgd_shows_every_example_once_an_epoch_in_shuffled_order():
    x, batches = np.arange(10), []

    def watch(parameters, x, y):
        np.testing.assert_array_equal(y, -x)
        batches.append(x)
        return 0.0, []

    assert len(list(reference.sgd(watch, [], x, -x, 0.1, batch_size=4, epochs=2))) == 6
    assert [len(batch) for batch in batches] == [4, 4, 2, 4, 4, 2]
    first, second = np.concatenate(batches[:3]), np.concatenate(batches[3:])
    np.testing.assert_array_equal(np.sort(first), x)
    np.testing.assert_array_equal(np.sort(second), x)
    assert not np.array_equal(first, x)
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_steps_equal_keras(momentum):
    gradients = np.random.default_rng(0).normal(size=(5, 3))
    start = np.array([1.0, -2.0, 3.0])
    variable = keras.Variable(start, dtype="float32")
    optimizer = keras.optimizers.SGD(learning_rate=0.1, momentum=momentum)
    steps = reference.sgd(
        lambda parameters, x, y: (0.0, [x[0]]), [start], gradients, gradients, 0.1, 1, 1, momentum
    )
    order = np.random.default_rng(0).permutation(5)  # that of `sgd` with the same seed
    for i, (_, (ours,)) in zip(order, steps, strict=True):
        optimizer.apply([keras.ops.convert_to_tensor(gradients[i], "float32")], [variable])
        np.testing.assert_allclose(ours, keras.ops.convert_to_numpy(variable), rtol=1e-5)
