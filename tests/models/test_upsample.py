import keras
import numpy as np
import pytest

from kerascnn.initializers import Bilinear
from kerascnn.layers import Conv2DTranspose
from kerascnn.models.upsample import UPSAMPLINGS, upsample


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
@pytest.mark.parametrize("filters", [None, 2, 6])
@pytest.mark.parametrize("factor", [2, 3])
def test_shapes(upsampling, filters, factor):
    inputs = keras.Input((5, None, 4))
    outputs = upsample(inputs, upsampling, filters, factor, name="up_{}")
    assert outputs.shape == (None, 5 * factor, None, filters or 4)
    assert keras.Model(inputs, outputs).layers[-1].name == "up_upsample"


@pytest.mark.parametrize("factor", [2, 3, 8])
def test_bilinear_initializer_interpolates(factor):
    x = np.random.default_rng(0).normal(size=(1, 6, 7, 3)).astype("float32")
    layer = Conv2DTranspose(
        3,
        2 * factor - factor % 2,
        strides=factor,
        padding="same",
        kernel_initializer=Bilinear(),
        use_bias=False,
    )
    found = keras.ops.convert_to_numpy(layer(x))
    expected = keras.layers.UpSampling2D(factor, interpolation="bilinear")(x)
    inner = slice(factor, -factor)  # beyond the rim, the one sees zeros
    np.testing.assert_allclose(
        found[:, inner, inner],
        keras.ops.convert_to_numpy(expected)[:, inner, inner],
        rtol=1e-4,
        atol=1e-5,
    )


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
def test_no_bias_before_normalization(upsampling):
    inputs = keras.Input((4, 4, 8))
    model = keras.Model(inputs, upsample(inputs, upsampling, 2, use_bias=False, name="up_{}"))
    assert [weight.name for weight in model.weights] == ["kernel"]
