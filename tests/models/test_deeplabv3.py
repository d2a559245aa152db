import numpy as np
import pytest

from kerascnn.models import create_model, load_weights_from
from kerascnn.models.rows import DeepLabV3Config, ResNetConfig
from kerascnn.models.upsample import UPSAMPLINGS
from tests.models.check_image_model import check_any_size, check_image_model
from tests.models.torchvision_models import torchvision_model
from tests.nightly import every_night

SMALL = DeepLabV3Config("resnet18")


def test_contract():
    check_image_model(
        lambda shape: create_model(SMALL, shape, 5, width=8), answered=5, size=(33, 18)
    )


# By day, the default is above, and test_upsample.py has each by itself.
@pytest.mark.parametrize(
    ("upsampling", "output_stride"),
    every_night(list(zip(UPSAMPLINGS, (8, 32, 8), strict=True)), [("pixel_shuffle", 32)]),
)
def test_upsampling(upsampling, output_stride):
    options = {"width": 8, "upsampling": upsampling, "output_stride": output_stride}
    check_any_size(lambda shape: create_model(SMALL, shape, 5, **options), answered=5)


@pytest.mark.extra("torchvision")
def test_answers_as_torchvision():
    options = {"weights_backbone": None, "aux_loss": True, "num_classes": 7}
    source = torchvision_model("deeplabv3_resnet50", **options)
    import torch

    model = create_model("deeplabv3_resnet50", (64, 80, 3), 7, output_stride=8)
    load_weights_from(model, source.state_dict())
    x = np.random.default_rng(0).uniform(size=(2, 64, 80, 3)).astype("float32")
    with torch.no_grad():
        theirs = source(torch.from_numpy(np.moveaxis(x, 3, 1).copy()))["out"].numpy()
    scale = np.abs(theirs).max()
    assert theirs.std() > 1e-3 * scale
    ours = model.predict(x, verbose=0)
    np.testing.assert_allclose(ours / scale, np.moveaxis(theirs, 1, 3) / scale, atol=1e-4)


@pytest.mark.parametrize(("output_stride", "rates"), [(32, (1, 1)), (16, (1, 2)), (8, (2, 4))])
def test_stages_are_dilated_where_they_would_be_too_small(output_stride, rates):
    config = ResNetConfig((1, 1, 2, 2), (2, 2, 2, 2), block="basic")
    model = create_model(config, (64, 64, 3), features_only=True, output_stride=output_stride)
    assert max(model.output) == output_stride
    assert model.output[output_stride].shape[1] == 64 // output_stride
    found = (model.get_layer(f"stage{stage}_block2_conv1").dilation_rate for stage in (3, 4))
    assert tuple(found) == tuple((rate, rate) for rate in rates)
    with pytest.raises(ValueError, match="one of 8, 16, 32; got output_stride=4"):
        create_model(config, output_stride=4)


def test_wrong_options():
    with pytest.raises(ValueError, match="'resnet18', .*got encoder='vgg16'"):
        create_model("deeplabv3_resnet50", encoder="vgg16")
