import numpy as np
import pytest

from kerascnn.arguments import UsageError
from kerascnn.models import create_model, load_weights_from
from kerascnn.models.encoder import encoders
from kerascnn.models.rows import EncoderUNetConfig
from kerascnn.models.upsample import UPSAMPLINGS
from tests.models.check_image_model import check_any_size, check_image_model
from tests.nightly import every_night

SMALL = EncoderUNetConfig("resnet20")


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


# The first of each family that gives its features
@pytest.mark.parametrize(
    "name",
    [
        "densenet121",
        "googlenet",
        "mobilenet_v1",
        "mobilenet_v2",
        "shufflenet_v1_g3",
        "shufflenet_v2_x0_5",
        "vgg11",
    ],
)
def test_every_encoder_takes_any_size(name, without_weights):
    for size in ((7, 45), (None, None)):
        model = create_model(SMALL, (*size, 3), 2, encoder=name, width=2)
        assert model.output_shape == (None, *size, 2)


def test_takes_over_the_weights_of_a_classifier():
    source = create_model("resnet18", (32, 32, 3), num_classes=3)
    model = create_model("unet_resnet18", (32, 40, 3), 2, width=2)
    head = model.get_layer("logits").get_weights()[0]
    load_weights_from(model, source, include_top=False)
    for layer in source.layers:
        if layer.weights and layer.name != "logits":
            for found, expected in zip(
                model.get_layer(layer.name).get_weights(), layer.get_weights(), strict=True
            ):
                np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(model.get_layer("logits").get_weights()[0], head)


def test_what_cannot_serve_as_an_encoder():
    assert {"resnet18", "vgg16"} <= set(encoders())
    for name in ("alexnet", "lenet5", "mlp", "unet", "resnet"):
        with pytest.raises(UsageError, match=f"'vgg19'; got encoder='{name}'"):
            create_model("unet_resnet18", encoder=name)


@pytest.mark.usefixtures("without_weights")
def test_options_of_the_encoder():
    options = {"encoder": "mobilenet_v2", "encoder_options": {"alpha": 0.35}}
    model = create_model("unet_resnet18", **options)
    expected = create_model("mobilenet_v2", alpha=0.35).get_layer("stem_conv").filters
    assert model.get_layer("stem_conv").filters == expected
    with pytest.raises(UsageError, match="options of 'resnet18' are .*; got alpha=0.35"):
        create_model("unet_resnet18", encoder_options={"alpha": 0.35})
    for name, option in (("unet_resnet18", "pad_to"), ("deeplabv3_resnet50", "output_stride")):
        with pytest.raises(UsageError, match=f"must not have '{option}', .*; got {option}=8"):
            create_model(name, encoder_options={option: 8})
