"""The head of a trained model: its names, and another for other classes."""

import keras
import numpy as np
import pytest

from kerascnn.arguments import UsageError
from kerascnn.models import create_model, head_names, with_new_head
from kerascnn.models.upsample import UPSAMPLINGS
from tests.nightly import every_night

SEGMENTERS = {
    "unet": {"width": 2, "depth": 2},
    "segnet": {"width": 2},
    "segnet_basic": {"width": 2},
    "unet_resnet18": {"width": 2, "encoder": "resnet20"},
    "linknet": {"encoder": "resnet20"},
    "deeplabv3_resnet50": {"width": 4, "encoder": "resnet18"},
    "fcn8s": {"units": 4, "encoder": "vgg11"},
}
# In these, how the logits are upsampled decides which layers depend on the classes.
UPSAMPLED_LOGITS = ("linknet", "deeplabv3_resnet50", "fcn8s")
CASES = [
    *((name, {}) for name in SEGMENTERS if name not in UPSAMPLED_LOGITS),
    *((name, {"upsampling": how}) for name in UPSAMPLED_LOGITS for how in UPSAMPLINGS),
]


def test_of_a_classifier():
    model = create_model("resnet20")
    tuned = with_new_head(model, 3)
    assert tuned.output_shape == (None, 3)
    assert tuned(np.zeros((1, 32, 32, 3))).shape == (1, 3)  # without a warning of Keras
    assert tuned.get_layer("stem_conv") is model.get_layer("stem_conv")


@pytest.mark.parametrize("name", ["resnet20", "fcn8s"])
def test_of_a_frozen_model_is_trainable(name):
    model = create_model(name, (32, 32, 3), 5, **SEGMENTERS.get(name, {}))
    model.trainable = False
    tuned = with_new_head(model, 3)
    old = {id(weight) for weight in model.weights}
    new = [weight.path for weight in tuned.weights if id(weight) not in old]
    assert new
    assert [weight.path for weight in tuned.trainable_weights] == new
    assert not model.trainable_weights


def test_has_no_auxiliary_heads():
    model = create_model("googlenet", (32, 32, 3), 5, auxiliary_heads=True)
    assert with_new_head(model, 3).output_shape == (None, 3)


def test_prototypes_of_classes_cannot_be_exchanged():
    with pytest.raises(UsageError, match="'lenet5_1998', which ends in 'logits'"):
        with_new_head(create_model("lenet5_1998"), 3)
    with pytest.raises(UsageError, match="at least 1; got num_classes=0"):
        with_new_head(create_model("lenet5"), 0)


# By day, one way of upsampling
@pytest.mark.parametrize(
    ("name", "option"),
    every_night(CASES, [case for case in CASES if case[1] == {}]),
)
def test_of_a_segmentation_model(name, option, tmp_path):
    options = {**SEGMENTERS[name], **option}
    model = create_model(name, (None, None, 3), 5, **options)
    tuned = with_new_head(model, 3)
    # As if built for three classes at once, but for the weights, most of which are the same ones.
    expected = create_model(name, (None, None, 3), 3, **options)
    assert [layer.name for layer in tuned.layers] == [layer.name for layer in expected.layers]
    assert [weight.shape for weight in tuned.weights] == [w.shape for w in expected.weights]
    shared = {id(weight) for weight in model.weights} & {id(weight) for weight in tuned.weights}
    new = [layer.name for layer in tuned.layers for w in layer.weights if id(w) not in shared]
    assert new
    assert all("logits" in name or "scores" in name or "upsample" in name for name in new)
    x = np.random.default_rng(0).uniform(size=(1, 21, 26, 3)).astype("float32")
    y = keras.ops.convert_to_numpy(tuned(x, training=False))
    assert y.shape == (1, 21, 26, 3)
    assert model(x, training=False).shape == (1, 21, 26, 5)
    tuned.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again(x, training=False), y, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["unet_resnet18", "linknet", "deeplabv3_resnet50", "fcn8s"])
def test_all_but_the_encoder_is_the_head(name, without_weights):
    options = SEGMENTERS[name]
    model = create_model(name, (32, 32, 3), 5, **options)
    head = set(head_names(model))
    trunk = [layer.name for layer in model.layers if layer.weights and layer.name not in head]
    encoder = create_model(options["encoder"], (32, 32, 3), include_top=False)
    assert trunk == [layer.name for layer in encoder.layers if layer.weights]
