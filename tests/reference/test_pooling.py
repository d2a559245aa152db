import itertools

import keras
import numpy as np
import pytest

from kerascnn import reference
from tests.reference.finite_differences import check_backward

OPTIONS = {
    "side_by_side": {"pool_size": (2, 2)},
    "overlapping": {"pool_size": (3, 2), "strides": (1, 2)},
    "same": {"pool_size": (3, 2), "strides": (2, 2), "padding": "same"},
    "gaps": {"pool_size": 2, "strides": 3, "padding": "same"},
    "padded": {"pool_size": (2, 3), "strides": (2, 1), "padding": (1, 1)},
}


def images(seed=0):
    """Images without two pixels that are nearly equal, where the maximum has no derivative."""
    x = np.random.default_rng(seed).permutation(2 * 5 * 6 * 2) / 100
    return x.reshape(2, 5, 6, 2)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_gradient_of_the_maximum_is_the_numeric_one(options):
    check_backward(
        lambda x: reference.max_pool2d(x, **options)[0],
        lambda dy, x: reference.max_pool2d_backward(dy, x, **options),
        images(),
    )


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_gradient_of_the_average_is_the_numeric_one(options):
    check_backward(
        lambda x: reference.average_pool2d(x, **options),
        lambda dy, x: reference.average_pool2d_backward(dy, x, **options),
        images(),
    )


def test_gradient_of_unpooling_is_the_numeric_one():
    y, indices = reference.max_pool2d(images(), (2, 3))
    check_backward(
        lambda y: reference.max_unpool2d(y, indices, 5, 6),
        lambda dx, _: reference.max_unpool2d_backward(dx, indices),
        y,
    )


@pytest.mark.extra("torch")
@pytest.mark.parametrize(
    ("pool_size", "strides", "padding"),
    [((2, 2), (2, 2), 0), ((3, 2), (1, 2), 0), ((3, 3), (2, 1), (1, 1)), ((2, 4), (2, 2), (0, 2))],
)
def test_equals_pytorch(pool_size, strides, padding):
    import torch

    functions = torch.nn.functional
    x = images()
    tensor = torch.from_numpy(x).permute(0, 3, 1, 2)

    y, indices = functions.max_pool2d(tensor, pool_size, strides, padding, return_indices=True)
    ours, our_indices = reference.max_pool2d(x, pool_size, strides, padding)
    np.testing.assert_array_equal(ours, y.permute(0, 2, 3, 1).numpy())
    np.testing.assert_array_equal(our_indices, indices.permute(0, 2, 3, 1).numpy())

    back = functions.max_unpool2d(y, indices, pool_size, strides, padding, output_size=(5, 6))
    np.testing.assert_array_equal(
        reference.max_unpool2d(ours, our_indices, 5, 6), back.permute(0, 2, 3, 1).numpy()
    )

    y = functions.avg_pool2d(tensor, pool_size, strides, padding, count_include_pad=False)
    np.testing.assert_allclose(
        reference.average_pool2d(x, pool_size, strides, padding),
        y.permute(0, 2, 3, 1).numpy(),
        rtol=1e-12,
    )


KERAS_CASES = list(
    itertools.product([(2, 2), (3, 3), (2, 3)], [None, (1, 1), (2, 2), (3, 1)], ["same", "valid"])
)


@pytest.mark.parametrize("case", KERAS_CASES)
def test_maximum_equals_keras(case):
    x = images().astype("float32") - 2  # negative, so that a zero of the padding would show
    expected = keras.layers.MaxPooling2D(*case)(x)
    np.testing.assert_array_equal(
        reference.max_pool2d(x, *case)[0], keras.ops.convert_to_numpy(expected)
    )


@pytest.mark.parametrize("case", KERAS_CASES)
def test_average_equals_keras(case):
    if keras.backend.backend() == "torch" and case[-1] == "same":
        pytest.skip("Keras 3.15 on PyTorch counts border pixels twice (keras-team/keras#23233)")
    x = images().astype("float32")
    expected = keras.layers.AveragePooling2D(*case)(x)
    np.testing.assert_allclose(
        reference.average_pool2d(x, *case), keras.ops.convert_to_numpy(expected), rtol=1e-5
    )


def test_maximum_by_hand():
    x = np.array([[1, 5, 2], [5, 0, 7], [-3, -2, -4]]).reshape(1, 3, 3, 1)
    y, indices = reference.max_pool2d(x, 2, padding="same")
    np.testing.assert_array_equal(y[0, :, :, 0], [[5, 7], [-2, -4]])
    np.testing.assert_array_equal(indices[0, :, :, 0], [[1, 5], [7, 8]])  # the first of two fives
    dx = reference.max_pool2d_backward(
        np.array([1.0, 2, 3, 4]).reshape(y.shape), x, 2, None, "same"
    )
    np.testing.assert_array_equal(dx[0, :, :, 0], [[0, 1, 0], [0, 0, 2], [0, 3, 4]])
    back = reference.max_unpool2d(y, indices, 3, 3)
    np.testing.assert_array_equal(back[0, :, :, 0], [[0, 5, 0], [0, 0, 7], [0, -2, -4]])


def test_a_pixel_collects_the_gradients_of_all_windows_it_won():
    x = np.array([0.0, 9.0, 1.0]).reshape(1, 1, 3, 1)
    dy = np.array([10.0, 100.0]).reshape(1, 1, 2, 1)
    dx = reference.max_pool2d_backward(dy, x, (1, 2), (1, 1))
    np.testing.assert_array_equal(dx[0, 0, :, 0], [0, 110, 0])


def test_average_by_hand():
    x = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]]).reshape(1, 3, 3, 1)
    y = reference.average_pool2d(x, 2, padding="same")
    np.testing.assert_array_equal(y[0, :, :, 0], [[3, 4.5], [7.5, 9]])
    dx = reference.average_pool2d_backward(np.full(y.shape, 4.0), x, 2, None, "same")
    np.testing.assert_array_equal(dx[0, :, :, 0], [[1, 1, 2], [1, 1, 2], [2, 2, 4]])
