import keras
import numpy as np
import pytest

from kerascnn.models import create_model
from kerascnn.models.rows import SegNetConfig
from kerascnn.models.upsample import UPSAMPLINGS
from tests.models.check_image_model import check_any_size, check_image_model
from tests.nightly import every_night

SMALL = SegNetConfig(depths=(1, 2, 2), growth=(1, 2, 2))
BASIC = SegNetConfig(depths=(1, 1), growth=(1, 1), kernel_size=7, basic=True)


def test_contract():
    check_image_model(
        lambda shape: create_model(SMALL, shape, 5, width=4), answered=5, sizes=[(8, 8), (2, 9)]
    )


# By day, the default is above, and test_upsample.py has each by itself.
@pytest.mark.parametrize("upsampling", every_night(UPSAMPLINGS, ["pixel_shuffle"]))
def test_upsampling(upsampling):
    check_any_size(
        lambda shape: create_model(BASIC, shape, 5, width=4, upsampling=upsampling), answered=5
    )


def test_contract_of_the_basic_form():
    check_image_model(lambda shape: create_model(BASIC, shape, 5, width=4), answered=5)


def test_values_go_back_to_where_the_maximum_was():
    model = create_model(SegNetConfig((1,), (1,), kernel_size=1), (4, 6, 1), num_classes=1, width=1)
    for layer in model.layers:
        if layer.name in ("stage1_conv1", "logits"):
            layer.set_weights([np.ones((1, 1, 1, 1)), np.zeros(1)])
    x = np.random.default_rng(0).uniform(size=(1, 4, 6, 1)).astype("float32")
    blocks = x.reshape(1, 2, 2, 3, 2, 1).max((2, 4), keepdims=True)
    expected = np.where(x == np.broadcast_to(blocks, (1, 2, 2, 3, 2, 1)).reshape(x.shape), x, 0)
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-3)


def normalized_by_caffe(x, size=5, alpha=1e-4, beta=0.75, k=1.0):
    """`lrn_layer.cpp` of Caffe, with the constants of SegNet-Basic and Caffe's own `k`."""
    y = np.zeros_like(x)
    channels = x.shape[-1]
    for place in np.ndindex(x.shape):
        c = place[-1]
        scale = k
        for other in range(max(c - (size - 1) // 2, 0), min(c + size // 2 + 1, channels)):
            scale += alpha / size * x[(*place[:-1], other)] ** 2
        y[place] = x[place] * scale**-beta
    return y


def test_the_basic_form_normalizes_as_in_the_authors_caffe(tmp_path):
    model = create_model(BASIC, (4, 8, 3), 2, width=2)
    x = np.random.default_rng(0).uniform(size=(2, 4, 8, 3)).astype("float32")
    expected = normalized_by_caffe(255 * x.astype("float64")) / 255
    model.save(tmp_path / "model.keras")
    for found in (model, keras.saving.load_model(tmp_path / "model.keras")):
        normalized = keras.Model(found.input, found.get_layer("stem_lrn").output)
        np.testing.assert_allclose(normalized(x), expected, rtol=1e-5)


def test_the_basic_form_normalizes_images_in_gray_levels():
    """With Caffe's preprocessing, values are in the range that the constants are for."""
    model = create_model(BASIC, (4, 8, 3), 2, width=2, preprocessing="caffe")
    before, after = (
        keras.Model(model.input, tensor)
        for tensor in (model.get_layer("stem_lrn").input, model.get_layer("stem_lrn").output)
    )
    x = np.random.default_rng(0).uniform(size=(2, 4, 8, 3)).astype("float32")
    np.testing.assert_allclose(after(x), normalized_by_caffe(np.asarray(before(x))), rtol=1e-5)


def test_wrong_options():
    with pytest.raises(ValueError, match="'unpooling', 'transposed', .*got upsampling='nearest'"):
        create_model(SMALL, upsampling="nearest")
