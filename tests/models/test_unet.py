import numpy as np
import pytest

from kerascnn.models import create_model
from kerascnn.models.rows import UNetConfig
from kerascnn.models.upsample import UPSAMPLINGS
from tests.models.check_image_model import check_any_size, check_image_model
from tests.nightly import every_night

ORIGINAL = UNetConfig(padding="valid", normalize=False)


@pytest.mark.parametrize("config", [UNetConfig(), ORIGINAL])
def test_contract(config):
    check_image_model(
        lambda shape: create_model(config, shape, 5, width=4, depth=2),
        answered=5,
        sizes=[(4, 4), (2, 9)],
    )


# By day, the default is above, and test_upsample.py has each by itself.
@pytest.mark.parametrize("upsampling", every_night(UPSAMPLINGS, ["pixel_shuffle"]))
def test_upsampling(upsampling):
    check_any_size(
        lambda shape: create_model(ORIGINAL, shape, 5, width=4, depth=1, upsampling=upsampling),
        answered=5,
    )


# Ronneberger et al., 2015, figure 1: heights of the feature maps, of 64 to 1024 channels
def test_sizes_of_the_paper(without_weights):
    model = create_model("unet_2015")

    def heights(kind):
        return [layer.output.shape[1] for layer in model.layers if kind in layer.name]

    assert heights("image_pad") == [572]
    downwards = [570, 568, 282, 280, 138, 136, 66, 64, 30, 28]
    assert heights("conv") == [*downwards, 54, 52, 102, 100, 198, 196, 390, 388]
    assert heights("upsample") == [56, 104, 200, 392]
    assert model.output_shape == (None, 388, 388, 2)


def test_every_pixel_sees_the_image_around_it():
    # With convolutions that pass on what is in the middle and no pooling to speak of, the logits
    # of the paper's form lie where their pixels are.
    model = create_model(ORIGINAL, (20, 23, 1), num_classes=1, width=1, depth=1)
    for layer in model.layers:
        if layer.name == "decoder_stage1_conv1":
            kernel = np.zeros(layer.kernel.shape)
            kernel[1, 1, 0] = 1  # of the skip alone
            layer.set_weights([kernel, np.zeros(1)])
        elif "conv" in layer.name or layer.name == "logits":
            kernel = np.zeros(layer.kernel.shape)
            kernel[kernel.shape[0] // 2, kernel.shape[1] // 2, 0, 0] = 1
            layer.set_weights([kernel, np.zeros(kernel.shape[-1])])
    x = np.random.default_rng(0).uniform(size=(1, 20, 23, 1)).astype("float32")
    np.testing.assert_allclose(model.predict(x, verbose=0), x, rtol=1e-6)


def test_dropout_stands_at_the_end_of_the_encoder():
    names = [
        layer.name for layer in create_model(UNetConfig(), width=2, depth=2, dropout=0.5).layers
    ]
    assert names[names.index("stage3_dropout") + 1] == "decoder_stage2_upsample"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"upsampling": "nearest"}, "'pixel_shuffle', 'bilinear'; got upsampling='nearest'"),
        ({"depth": 0}, "`depth` must be an int of at least 1; got depth=0"),
    ],
)
def test_wrong_options(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        create_model("unet", width=2, **options)
    with pytest.raises(ValueError, match="got padding='full'"):
        create_model(UNetConfig(padding="full"))
