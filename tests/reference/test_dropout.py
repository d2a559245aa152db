import numpy as np
import pytest

from kerascnn import reference
from tests.reference.finite_differences import check_backward


@pytest.mark.parametrize("mode", ["inverted", "classic"])
@pytest.mark.parametrize("training", [True, False])
def test_gradient_is_the_numeric_one(training, mode):
    rng = np.random.default_rng(0)
    mask = rng.integers(2, size=(3, 4))
    check_backward(
        lambda x: reference.dropout(x, mask, 0.4, mode, training),
        lambda dy, _: reference.dropout_backward(dy, mask, 0.4, mode, training),
        rng.normal(size=(3, 4)),
    )


def test_by_hand():
    x, mask = np.array([4.0, 8.0]), np.array([1, 0])
    np.testing.assert_array_equal(reference.dropout(x, mask, 0.75), [16, 0])
    np.testing.assert_array_equal(reference.dropout(x, mask, 0.75, training=False), [4, 8])
    np.testing.assert_array_equal(reference.dropout(x, mask, 0.75, "classic"), [4, 0])
    np.testing.assert_array_equal(reference.dropout(x, mask, 0.75, "classic", False), [1, 2])
