import keras
import numpy as np
import pytest

from kerascnn import ops, reference
from kerascnn.layers import BilinearUpsampling2D
from tests.gradients import value_and_gradients
from tests.layers.check_layer import check_layer


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_contract(data_format):
    small, large = (2, 3, 5, 4), (2, 6, 15, 4)
    if data_format == "channels_first":
        small, large = (2, 4, 3, 5), (2, 4, 6, 15)
    arguments = {"size": (2, 3), "data_format": data_format}
    check_layer(BilinearUpsampling2D, arguments, input_shape=small, output_shape=large)


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 1), (1, 4), (5, 2)])
@pytest.mark.parametrize("image", [(4, 3), (1, 2), (1, 1)])
def test_values_and_gradients_follow_the_loops(size, image):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, *image, 3)).astype("float32")
    expected = reference.bilinear_upsampling2d(x, *size)
    dy = rng.normal(size=expected.shape).astype("float32")
    y, (dx,) = value_and_gradients(lambda x: ops.bilinear_upsampling2d(x, size), [x], dy)
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-5)
    expected = reference.bilinear_upsampling2d_backward(dy, *size)
    np.testing.assert_allclose(dx, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("factor", [2, 3, 8])
def test_equals_keras(factor):
    x = np.random.default_rng(0).normal(size=(2, 5, 4, 3)).astype("float32")
    expected = keras.layers.UpSampling2D(factor, interpolation="bilinear")(x)
    found = BilinearUpsampling2D(factor)(x)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(found),
        keras.ops.convert_to_numpy(expected),
        rtol=1e-4,
        atol=1e-5,
    )


@pytest.mark.extra("torch")
def test_equals_pytorch():
    import torch

    x = np.random.default_rng(0).normal(size=(2, 5, 4, 3)).astype("float32")
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(np.moveaxis(x, 3, 1)), scale_factor=(4, 3), mode="bilinear"
    )
    found = keras.ops.convert_to_numpy(BilinearUpsampling2D((4, 3))(x))
    np.testing.assert_allclose(found, np.moveaxis(expected.numpy(), 1, 3), rtol=1e-4, atol=1e-5)


def test_a_size_must_be_positive():
    with pytest.raises(ValueError, match="`size` must be .*got size=0"):
        BilinearUpsampling2D(0)


def test_what_float16_holds_stays_finite():
    x = np.array([60000, -60000, 60000, 0], "float16").reshape(1, 2, 2, 1)
    y = BilinearUpsampling2D(2, dtype="float16")(x)
    expected = reference.bilinear_upsampling2d(x.astype("float64"), 2, 2)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(y), expected, rtol=1e-3, atol=30)
