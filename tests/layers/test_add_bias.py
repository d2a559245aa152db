import keras
import numpy as np
import pytest

from kerascnn import layers
from kerascnn.ops.add_bias import add_bias
from tests.gradients import value_and_gradients
from tests.layers.images import in_data_format

# Keras 3.15 takes the last axis for the channels where it is as long as the bias.
SHAPES = [(2, 3, 4, 5), (2, 4, 5, 5), (2, 5, 4, 5), (2, 5, 5, 5), (2, 1, 1, 1)]


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("shape", SHAPES)
def test_values_and_gradients(shape, dtype, data_format):
    rng = np.random.default_rng(0)
    view = in_data_format(data_format)
    # Whole numbers, which every dtype adds exactly
    x, dy = rng.integers(-9, 9, size=(2, *shape)).astype("float32")
    bias = rng.integers(-9, 9, size=shape[-1]).astype("float32")

    def add(x, bias):
        y = add_bias(keras.ops.cast(x, dtype), keras.ops.cast(bias, dtype), data_format)
        assert keras.backend.standardize_dtype(y.dtype) == dtype
        return keras.ops.cast(y, "float32")

    y, (dx, dbias) = value_and_gradients(add, [view(x), bias], upstream=view(dy))
    np.testing.assert_array_equal(y, view(x + bias))
    np.testing.assert_array_equal(dx, view(dy))
    np.testing.assert_array_equal(dbias, dy.sum((0, 1, 2)))


def test_no_bias_changes_nothing():
    x = keras.ops.ones((1, 2, 2, 3))
    assert add_bias(x, None) is x


@pytest.mark.parametrize(
    "layer",
    [
        lambda **kwargs: layers.ConnectionTableConv2D([[0], [1, 2], [3], [0], [2]], 1, **kwargs),
        lambda **kwargs: layers.Conv2DTranspose(5, 1, **kwargs),
        lambda **kwargs: layers.DepthwiseConv2D(1, **kwargs),
        lambda **kwargs: layers.GroupConv2D(5, 1, **kwargs),
        lambda **kwargs: layers.PointwiseConv2D(5, **kwargs),
        lambda **kwargs: layers.SeparableConv2D(5, 1, **kwargs),
        lambda **kwargs: layers.SubpixelConv2D(5, 1, 1, **kwargs),
        lambda **kwargs: layers.Subsampling2D(1, **kwargs),
    ],
)
@pytest.mark.parametrize("shape", [(1, 5, 5, 5), (1, 4, 5, 5), (1, 5, 4, 4), (1, 4, 4, 4)])
def test_layers_add_it_to_the_channels_whatever_the_width(layer, shape):
    x = np.random.default_rng(0).normal(size=shape).astype("float32")
    images = [x, np.moveaxis(x, -1, 1)]
    both = [layer(data_format=f"channels_{where}") for where in ("last", "first")]
    for one, image in zip(both, images, strict=True):
        one.build(image.shape)
        one.set_weights(
            [np.arange(weight.shape[-1]) + np.zeros(weight.shape) for weight in one.weights]
        )
    last, first = (
        keras.ops.convert_to_numpy(one(image)) for one, image in zip(both, images, strict=True)
    )
    np.testing.assert_allclose(np.moveaxis(first, 1, -1), last, rtol=1e-5, atol=1e-5)
