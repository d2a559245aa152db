import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from kerascnn.losses import inverse_frequency_weights, median_frequency_weights


def test_median_frequency_weights_worked_out_by_hand():
    # Two images of 100 and 60 pixels, 20 of the second ignored. Class 0 fills 90 of the first and
    # 10 of the second, class 1 is 10 of the first, class 2 is 30 of the second; class 3 nowhere.
    weights = median_frequency_weights([100, 10, 30, 0], [140, 100, 40, 0])
    frequencies = np.array([100 / 140, 10 / 100, 30 / 40])  # the median is 100 / 140
    np.testing.assert_allclose(weights, [*(100 / 140 / frequencies), 0])
    np.testing.assert_allclose(median_frequency_weights([50, 10], [100, 100]), [0.6, 3])


def test_median_frequency_weights_of_what_cannot_be():
    with pytest.raises(ValueError, match="must have a value above 0"):
        median_frequency_weights([0, 0], [0, 0])
    with pytest.raises(ValueError, match="must be at least `pixels`"):
        median_frequency_weights([10], [9])
    with pytest.raises(ValueError, match="must be at least `pixels`"):
        median_frequency_weights([10, 1], [90])


def test_inverse_frequency_weights_are_those_of_scikit_learn():
    counts = [95, 5, 30]
    labels = np.repeat([0, 1, 2], counts)
    expected = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    weights = inverse_frequency_weights(counts)
    np.testing.assert_allclose(weights, expected)
    np.testing.assert_allclose(weights[labels].mean(), 1)  # the loss keeps its size
    np.testing.assert_allclose(inverse_frequency_weights([9, 0, 3]), [12 / 18, 0, 2])
    with pytest.raises(ValueError, match="must have a value above 0"):
        inverse_frequency_weights([0, 0])
