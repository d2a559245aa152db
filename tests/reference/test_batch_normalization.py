import numpy as np

from kerascnn import reference
from tests.reference.finite_differences import check_backward


def test_gradients_are_the_numeric_ones():
    rng = np.random.default_rng(0)
    x, (gamma, beta) = rng.normal(size=(2, 3, 2, 3)), rng.normal(size=(2, 3))
    check_backward(
        lambda x, gamma, beta: reference.batch_normalization(x, gamma, beta, 1e-2)[0],
        lambda dy, x, gamma, beta: reference.batch_normalization_backward(dy, x, gamma, 1e-2),
        x,
        gamma,
        beta,
    )


def test_by_hand():
    x, gamma, beta = np.array([[1.0], [3.0]]), np.array([10.0]), np.array([5.0])
    y, mean, variance = reference.batch_normalization(x, gamma, beta, epsilon=0.0)
    np.testing.assert_array_equal(y, [[-5.0], [15.0]])
    np.testing.assert_array_equal([mean, variance], [[2.0], [1.0]])
