import pytest

from kerascnn.models import create_model
from kerascnn.models.rows import AutoencoderConfig
from kerascnn.models.upsample import UPSAMPLINGS
from tests.models.check_image_model import check_any_size, check_image_model
from tests.nightly import every_night


def test_contract():
    check_image_model(lambda shape: create_model(AutoencoderConfig(), shape, width=4))


# By day, the default is above, and test_upsample.py has each by itself.
@pytest.mark.parametrize("upsampling", every_night(UPSAMPLINGS, ["pixel_shuffle"]))
def test_upsampling(upsampling):
    check_any_size(
        lambda shape: create_model(AutoencoderConfig(), shape, width=4, upsampling=upsampling)
    )


def test_depth_and_code():
    model = create_model(AutoencoderConfig(code=3), (32, 32, 1), width=4, depth=3)
    assert model.get_layer("bottleneck").output.shape == (None, 4, 4, 3)
    with pytest.raises(ValueError, match="`depth` must be an int of at least 1"):
        create_model("autoencoder", depth=0)


def test_knows_no_classes():
    with pytest.raises(ValueError, match="reconstruction and has no classes; got num_classes=3"):
        create_model("autoencoder", num_classes=3)
    with pytest.raises(ValueError, match="options of 'autoencoder' are width, depth, upsampling"):
        create_model("autoencoder", preprocessing="torch")
