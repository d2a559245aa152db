import itertools

import keras
import numpy as np
import pytest

from kerascnn import ops, reference
from kerascnn.layers import MaxPoolWithArgmax2D
from tests.gradients import value_and_gradients
from tests.layers.images import in_data_format, random_arrays

CASES = list(
    itertools.product([(6, 8), (7, 5)], [(2, 2), (3, 2)], [None, (2, 2), (1, 3)], ["valid", "same"])
)


def distinct(shape, seed=0):
    """An image without equal pixels, of which no two maxima could be told apart."""
    return np.random.default_rng(seed).permutation(np.prod(shape)).reshape(shape).astype("float32")


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(("size", "pool_size", "strides", "padding"), CASES)
def test_values_and_gradient_follow_the_formula(size, pool_size, strides, padding, data_format):
    view = in_data_format(data_format)
    x = distinct((2, *size, 3))
    expected, places = reference.max_pool2d(x, pool_size, strides, padding)
    options = (pool_size, strides, padding, data_format)
    found, indices = ops.max_pool_with_argmax2d(view(x), *options)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(found), view(expected))
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(indices), view(places))
    (dy,) = random_arrays(expected.shape)
    y, (gradient,) = value_and_gradients(
        lambda x: ops.max_pool_with_argmax2d(x, *options)[0], [view(x)], view(dy)
    )
    dx = reference.max_pool2d_backward(dy, x, pool_size, strides, padding)
    np.testing.assert_array_equal(y, view(expected))
    np.testing.assert_allclose(gradient, view(dx), rtol=1e-5, atol=1e-6)


def test_of_equal_pixels_the_first_counts():
    _, indices = ops.max_pool_with_argmax2d(np.zeros((1, 4, 6, 1), "float32"))
    found = keras.ops.convert_to_numpy(indices)[0, :, :, 0]
    np.testing.assert_array_equal(found, [[0, 2, 4], [12, 14, 16]])


@pytest.mark.extra("torch")
def test_equals_pytorch():
    import torch

    x = distinct((2, 3, 7, 9))
    y, indices = MaxPoolWithArgmax2D(3, 2, data_format="channels_first")(x)
    values, places = torch.nn.functional.max_pool2d(torch.from_numpy(x), 3, 2, return_indices=True)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(y), values.numpy())
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(indices), places.numpy())


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("dtype", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_contract(tmp_path, padding, dtype):
    layer = MaxPoolWithArgmax2D((2, 3), padding=padding, dtype=dtype)
    assert MaxPoolWithArgmax2D.from_config(layer.get_config()).get_config() == layer.get_config()
    inputs = keras.Input((None, None, 3))
    y, indices = layer(inputs)
    assert y.shape == indices.shape == (None, None, None, 3)
    assert y.dtype == layer.compute_dtype
    assert indices.dtype == "int32"
    model = keras.Model(inputs, [y, indices])
    x = (distinct((2, 5, 7, 3)) / 8).astype("float32")
    expected, places = reference.max_pool2d(x, (2, 3), None, padding)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    for candidate in (model, again):
        values, found = candidate.predict(x, verbose=0)
        np.testing.assert_array_equal(values.astype("float32"), expected)
        np.testing.assert_array_equal(found, places)


def test_the_window_must_fit():
    for x in (np.zeros((1, 2, 5, 3), "float32"), keras.Input((2, 5, 3))):
        with pytest.raises(ValueError, match=r"got pool_size=\(3, 3\) on input shape"):
            ops.max_pool_with_argmax2d(x, 3)
        with pytest.raises(ValueError, match="got padding='full'"):
            MaxPoolWithArgmax2D(3, padding="full")
