"""The derivative as its definition says: move one number a little, and see what follows."""

import numpy as np


def numeric_gradients(function, arrays, dy, step=1e-6):
    """Gradients of `sum(dy * function(*arrays))` by every element of every array."""
    gradients = []
    for array in arrays:
        assert array.dtype == "float64"
        gradient = np.zeros_like(array)
        for index in np.ndindex(array.shape):
            middle, values = array[index], []
            for moved in (middle + step, middle - step):
                array[index] = moved
                values.append((dy * function(*arrays)).sum())
            array[index] = middle
            gradient[index] = (values[0] - values[1]) / (2 * step)
        gradients.append(gradient)
    return gradients


def check_backward(function, backward, *arrays):
    """Compares `backward(dy, *arrays)` with the differences of `function(*arrays)`."""
    dy = np.random.default_rng(7).normal(size=np.shape(function(*arrays)))
    gradients = backward(dy, *arrays)
    if not isinstance(gradients, tuple):
        gradients = (gradients,)
    expected = numeric_gradients(function, arrays, dy)
    for ours, numeric in zip(gradients, expected, strict=True):
        assert ours.shape == numeric.shape
        np.testing.assert_allclose(ours, numeric, rtol=1e-6, atol=1e-7)
