import pytest

from kerascnn.models import create_model
from kerascnn.models.rows import LinkNetConfig
from kerascnn.models.upsample import UPSAMPLINGS
from tests.models.check_image_model import check_any_size, check_image_model
from tests.nightly import every_night

SMALL = LinkNetConfig("resnet20")


def test_contract():
    check_image_model(
        lambda shape: create_model(SMALL, shape, 5, width=4), answered=5, size=(33, 18)
    )


# By day, the default is above, and test_upsample.py has each by itself.
@pytest.mark.parametrize("upsampling", every_night(UPSAMPLINGS, ["pixel_shuffle"]))
def test_upsampling(upsampling):
    check_any_size(
        lambda shape: create_model(SMALL, shape, 5, width=4, upsampling=upsampling), answered=5
    )


# Chaurasia and Culurciello, 2017, figures 1 and 2
def test_channels_of_the_paper(without_weights):
    model = create_model("linknet", (64, 96, 3), num_classes=20)

    def shape(name):
        return model.get_layer(name).output.shape[1:]

    assert shape("decoder_stride32_conv1") == (2, 3, 128)
    assert shape("decoder_stride32_upsample2") == (4, 6, 128)
    assert shape("decoder_stride32_conv3") == (4, 6, 256)
    assert shape("decoder_stride8_conv3") == (16, 24, 64)
    assert shape("decoder_stride4_conv3") == (16, 24, 64)
    assert shape("head_upsample1") == (32, 48, 32)
    assert shape("logits_upsample") == (64, 96, 20)
