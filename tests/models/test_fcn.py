import numpy as np
import pytest

from kerascnn.models import create_model, load_weights_from
from kerascnn.models.rows import FCNConfig
from kerascnn.models.upsample import UPSAMPLINGS
from tests.models.check_image_model import check_any_size, check_image_model
from tests.nightly import every_night

OPTIONS = {"encoder": "vgg11", "units": 8}


def test_contract():
    check_image_model(
        lambda shape: create_model(FCNConfig(8), shape, 2, **OPTIONS), answered=2, size=(40, 33)
    )


# By day, the default is above, and test_upsample.py has each by itself.
@pytest.mark.parametrize("upsampling", every_night(UPSAMPLINGS, ["pixel_shuffle"]))
def test_upsampling(upsampling):
    check_any_size(
        lambda shape: create_model(FCNConfig(16), shape, 2, upsampling=upsampling, **OPTIONS),
        answered=2,
    )


def test_starts_as_the_coarser_network():
    model = create_model(FCNConfig(8), (32, 32, 3), 2, **OPTIONS)
    for stride, zero in ((32, False), (16, True), (8, True)):
        kernel, _ = model.get_layer(f"decoder_stride{stride}_scores").get_weights()
        assert (kernel == 0).all() == zero


def test_takes_over_the_weights_of_a_vgg():
    model = create_model("fcn32s", (32, 32, 3), 2, encoder="vgg11", units=8)
    source = create_model("vgg11", (32, 32, 3), include_top=False)
    load_weights_from(model, source, include_top=False)
    for name in ("stage1_conv1", "stage5_conv2"):
        expected = source.get_layer(name).get_weights()[0]
        np.testing.assert_array_equal(model.get_layer(name).get_weights()[0], expected)


def test_wrong_options():
    with pytest.raises(ValueError, match="strides 4, 8, 32; got encoder='resnet20', .* at 1, 2, 4"):
        create_model("fcn8s", encoder="resnet20")
    with pytest.raises(ValueError, match="`stride` must be one of 32, 16, 8; got stride=4"):
        create_model(FCNConfig(stride=4))
