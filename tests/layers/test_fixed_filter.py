import keras
import numpy as np
import pytest

import kerascnn
from kerascnn import filters, ops, reference
from kerascnn.layers import FixedFilter2D
from tests.gradients import value_and_gradients
from tests.layers.check_layer import check_layer
from tests.layers.images import in_data_format, random_arrays, shape_in


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("filter", ["gaussian_blur_5x5", [[0.0, 1.0, 2.0]]])
def test_contract(filter, data_format):
    check_layer(
        FixedFilter2D,
        {"filter": filter, "data_format": data_format},
        input_shape=shape_in(data_format, (2, 5, 6, 3)),
        output_shape=shape_in(data_format, (2, 5, 6, 3)),
    )


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("name", filters.__all__)
def test_values_and_gradient_follow_the_formula(name, data_format):
    view = in_data_format(data_format)
    x, dy = random_arrays((2, 6, 7, 3), (2, 6, 7, 3))
    y, (gradient,) = value_and_gradients(
        lambda x: ops.fixed_filter2d(x, name, data_format=data_format), [view(x)], view(dy)
    )
    kernel = getattr(filters, name)
    np.testing.assert_allclose(y, view(reference.fixed_filter2d(x, kernel)), rtol=1e-4, atol=1e-4)
    dx = reference.fixed_filter2d_backward(dy, x, kernel)
    np.testing.assert_allclose(gradient, view(dx), rtol=1e-4, atol=1e-4)


def test_kernels_are_those_of_the_course():
    # The table that image processing is taught with, row by row.
    expected = {
        "identity": [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
        "edge_diagonal": [[1, 0, -1], [0, 0, 0], [-1, 0, 1]],
        "edge_4_neighbors": [[0, -1, 0], [-1, 4, -1], [0, -1, 0]],
        "edge_8_neighbors": [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
        "sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
        "box_blur": np.ones((3, 3)) / 9,
        "gaussian_blur_3x3": np.outer([1, 2, 1], [1, 2, 1]) / 16,
        "gaussian_blur_5x5": np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]) / 256,
        "unsharp_mask": [
            [-1 / 256, -4 / 256, -6 / 256, -4 / 256, -1 / 256],
            [-4 / 256, -16 / 256, -24 / 256, -16 / 256, -4 / 256],
            [-6 / 256, -24 / 256, 476 / 256, -24 / 256, -6 / 256],
            [-4 / 256, -16 / 256, -24 / 256, -16 / 256, -4 / 256],
            [-1 / 256, -4 / 256, -6 / 256, -4 / 256, -1 / 256],
        ],
        "sobel_vertical": np.outer([1, 2, 1], [-1, 0, 1]),
        "sobel_horizontal": np.outer([-1, 0, 1], [1, 2, 1]),
        "laplacian": [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
    }
    for name, kernel in expected.items():
        np.testing.assert_allclose(getattr(filters, name), kernel, rtol=1e-6)


@pytest.mark.parametrize("name", filters.__all__)
def test_one_color_stays_or_vanishes(name):
    image = np.full((1, 5, 5, 1), 3.0, "float32")
    y = keras.ops.convert_to_numpy(FixedFilter2D(name, padding="valid")(image))
    keeps = any(word in name for word in ("identity", "sharpen", "blur", "unsharp"))
    np.testing.assert_allclose(y, 3.0 if keeps else 0.0, atol=1e-5)


def test_an_edge_is_found_where_it_is():
    image = np.zeros((1, 6, 6, 1), "float32")
    image[:, :, 3:] = 1
    y = keras.ops.convert_to_numpy(FixedFilter2D("sobel_vertical", padding="valid")(image))
    np.testing.assert_array_equal(y[0, :, :, 0], [[0, 4, 4, 0]] * 4)
    y = keras.ops.convert_to_numpy(FixedFilter2D("sobel_horizontal", padding="valid")(image))
    np.testing.assert_array_equal(y, 0)


def test_whole_numbers_are_not_filtered_with_whole_numbers():
    image = np.full((1, 3, 3, 1), 200, "uint8")
    y = ops.fixed_filter2d(image, "box_blur", padding="valid")
    assert abs(float(y[0, 0, 0, 0]) - 200) < 1e-3
    assert ops.fixed_filter2d(keras.Input((3, 3, 1), dtype="uint8"), "box_blur").dtype == "float32"


def test_kernels_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        kerascnn.filters.sharpen[0, 0] = 1


@pytest.mark.parametrize(
    ("filter", "sentence"),
    [
        ("blurr", "`filter` must be one of 'box_blur', .* got filter='blurr'"),
        ([1.0, 2.0], r"got shape \(2,\)"),
        (np.ones((9, 9)), r"got kernel size \(9, 9\)"),
    ],
)
def test_wrong_arguments_fail_alike_eagerly_and_symbolically(filter, sentence):
    for x in (np.zeros((1, 5, 5, 3)), keras.Input((5, 5, 3))):
        with pytest.raises(ValueError, match=sentence):
            ops.fixed_filter2d(x, filter, padding="valid")
