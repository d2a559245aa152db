"""Encoders of models for segmentation with weights of ImageNet, or of another model."""

import keras
import numpy as np
import pytest

from kerascnn.arguments import UsageError
from kerascnn.models import create_model, head_names, list_models, model_info
from tests.models.test_weights import answers, random_statistics
from tests.nightly import every_night

SHAPE = (64, 64, 3)
NARROW = {
    "unet_resnet50": {"width": 2},
    "linknet": {"encoder": "mobilenet_v2", "width": 4},
    "fcn16s": {"units": 4},
    "deeplabv3_resnet50": {"width": 4},
}


def of_imagenet(application):
    """A network of Keras without its head, as a download would give it."""
    source = getattr(keras.applications, application)(weights=None, include_top=False)
    random_statistics(source)
    return source


def prepared(application, images):
    modules = {"ResNet50": "resnet", "MobileNetV2": "mobilenet_v2", "VGG16": "vgg16"}
    module = getattr(keras.applications, modules[application])
    return module.preprocess_input(255 * images)


@pytest.mark.parametrize(
    "name", every_night(["unet_resnet50", "linknet", "fcn16s"], daily=["linknet", "fcn16s"])
)
def test_an_encoder_of_imagenet_computes_as_keras_does(name, monkeypatch):
    options = NARROW[name]
    application = model_info(options.get("encoder", model_info(name).encoder)).pretrained
    source = of_imagenet(application)
    monkeypatch.setattr(keras.applications, application, lambda **kwargs: source)
    model = create_model(name, SHAPE, 3, encoder_weights="imagenet", **options)
    x = np.random.default_rng(0).uniform(size=(2, *SHAPE)).astype("float32")
    theirs = answers(source, prepared(application, x))
    last = {"ResNet50": "stage4_block3_relu", "MobileNetV2": "last_relu", "VGG16": "stage5_pool"}
    encoder = keras.Model(model.inputs[0], model.get_layer(last[application]).output)
    scale = np.abs(theirs).max()
    assert theirs.std() > 1e-3 * scale
    np.testing.assert_allclose(answers(encoder, x) / scale, theirs / scale, atol=1e-4)


def assert_same_encoder(model, source):
    head = set(head_names(model))
    layers = [layer for layer in model.layers if layer.weights and layer.name not in head]
    assert len(layers) > 10
    for layer in layers:
        others = source.get_layer(layer.name).weights
        for weight, other in zip(layer.weights, others, strict=True):
            np.testing.assert_array_equal(weight, other)


@pytest.mark.nightly
def test_the_encoder_of_another_run_keeps_its_form_and_preprocessing(tmp_path, monkeypatch):
    downloaded = of_imagenet("ResNet50")
    monkeypatch.setattr(keras.applications, "ResNet50", lambda **kwargs: downloaded)
    create_model("resnet50", SHAPE, 3, weights="imagenet").save(tmp_path / "model.keras")
    source = keras.saving.load_model(tmp_path / "model.keras")
    x = np.random.default_rng(0).uniform(size=(1, *SHAPE)).astype("float32")
    # The third stage is the last one that DeepLab leaves undilated.
    theirs, *ours = (
        answers(keras.Model(model.inputs[0], model.get_layer("stage3_block6_relu").output), x)
        for model in (source, *with_encoder_of(source))
    )
    for found in ours:
        np.testing.assert_allclose(found, theirs, rtol=1e-3, atol=1e-4 * np.abs(theirs).max())


def with_encoder_of(source):
    for name in ("unet_resnet50", "deeplabv3_resnet50"):
        model = create_model(name, (None, None, 3), 5, encoder_weights=source, **NARROW[name])
        assert_same_encoder(model, source)
        yield model
        with pytest.raises(UsageError, match="must be 'caffe', as in 'resnet50'; got preproc"):
            create_model(name, encoder_weights=source, preprocessing="torch", **NARROW[name])


def test_the_encoder_of_a_model_for_segmentation():
    options = {"encoder": "resnet20", "width": 2}
    source = create_model("unet_resnet18", SHAPE, 3, preprocessing="torch", **options)
    model = create_model("unet_resnet18", SHAPE, 5, encoder_weights=source, **options)
    assert_same_encoder(model, source)
    assert model.get_layer("preprocessing").offset == source.get_layer("preprocessing").offset


def test_an_encoder_of_ones_own_form():
    source = create_model("resnet18", SHAPE, 3, epsilon=1e-3)
    form = {"encoder_options": {"epsilon": 1e-3}, "width": 2}
    model = create_model("unet_resnet18", SHAPE, 5, encoder_weights=source, **form)
    assert_same_encoder(model, source)
    with pytest.raises(UsageError, match=r"has epsilon=0.001, .* epsilon=1e-05 .see `encoder_opt"):
        create_model("unet_resnet18", SHAPE, 5, encoder_weights=source, width=2)


def test_weights_that_do_not_fit():
    def refused(source, sentence, name="unet_resnet18", **options):
        with pytest.raises(UsageError, match=sentence) as caught:
            create_model(name, SHAPE, encoder_weights=source, width=2, **options)
        assert "\n" not in str(caught.value)

    refused(create_model("lenet5"), "with the trunk of 'resnet18', but .* must have the layer")
    refused(create_model("resnet18", (*SHAPE[:2], 1)), r"stem_conv.*\(7, 7, 3, 64\); got \(7, 7, 1")
    refused(create_model("resnet34"), "'resnet18', but .* are not in the model")
    refused("imagenet", "ImageNet weights are available for .*; got encoder='resnet18'")
    refused("runs/x", "must be None, 'imagenet' or a model; got encoder_weights='runs/x'")
    wrong = create_model("resnet50", SHAPE, 3, stride_in="1x1")
    refused(wrong, r"conv2' has strides=\(1, 1\), .*=\(2, 2\)", name="unet_resnet50")


@pytest.mark.usefixtures("keras_home")
def test_options_of_another_form_than_the_weights():
    def refused(sentence, **options):
        with pytest.raises(UsageError, match=sentence):
            create_model("unet_resnet50", encoder_weights="imagenet", **options)

    refused(
        "`preprocessing` must be 'caffe', .*ResNet50; got preprocessing='tf'", preprocessing="tf"
    )
    refused("`stride_in` must be '1x1'", encoder_options={"stride_in": "3x3"})
    with pytest.raises(ConnectionError, match="ResNet50 are not on this machine"):
        create_model("unet_resnet50", encoder_weights="imagenet", width=2)


def test_only_models_with_an_encoder_take_its_weights():
    with_encoder = {name for name in list_models() if model_info(name).encoder}
    assert with_encoder == {
        *list_models("fcn*"),
        *list_models("unet_resnet*"),
        *("linknet", "deeplabv3_resnet50"),
    }
    for name in ("lenet5", "unet", "espcn_x2"):
        with pytest.raises(UsageError, match=f"'{name}' has no encoder; got encoder_weights="):
            create_model(name, encoder_weights="imagenet")
