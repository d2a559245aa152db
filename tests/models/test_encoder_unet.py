import numpy as np
import pytest

from kerascnn.models import EncoderUNetConfig, create_model, encoder_unet, load_weights_from
from kerascnn.models.encoder import build_encoder, encoders
from kerascnn.models.upsample import UPSAMPLINGS
from tests.models.check_image_model import check_any_size, check_image_model

SMALL = EncoderUNetConfig("resnet20")


def test_contract():
    check_image_model(
        lambda shape: encoder_unet(SMALL, shape, 5, width=4), answered=5, size=(33, 18)
    )


@pytest.mark.parametrize("upsampling", UPSAMPLINGS)
def test_upsampling(upsampling):
    check_any_size(
        lambda shape: encoder_unet(SMALL, shape, 5, width=4, upsampling=upsampling), answered=5
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
        model = encoder_unet(SMALL, (*size, 3), 2, encoder=name, width=2)
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
    for name in ("lenet5", "unet", "resnet"):
        with pytest.raises(ValueError, match=f"'vgg19'; got encoder='{name}'"):
            build_encoder(name, (32, 32, 3))
    with pytest.raises(ValueError, match="got encoder='mlp'"):
        create_model("unet_resnet18", encoder="mlp")
