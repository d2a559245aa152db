"""Creates models by name, with random or pretrained weights."""

from collections.abc import Sequence
from typing import Any

import keras

from kerascnn.arguments import UsageError, at_least_one
from kerascnn.models import imagenet
from kerascnn.models.encoder import encoder_of
from kerascnn.models.encoder_weights import load_encoder, with_form_of
from kerascnn.models.registry import row_of, shape_of


def create_model(
    name: Any,
    input_shape: Sequence[int | None] | None = None,
    num_classes: int | None = None,
    weights: str | None = None,
    encoder_weights: str | keras.Model | None = None,
    **options: Any,
) -> keras.Model:
    """Builds a model by name.

    Args:
        name: str, one of `list_models()`; or a custom configuration for one of their families, such
            as `ResNetConfig(...)`.
        input_shape: `(height, width, channels)` in Keras's image data format; by default as in the
            paper. Height and width may be `None`, except for models with fully connected layers.
        num_classes: int, at least 1, the number of logits; by default as in the paper. Models
            without classes, for upscaling and reconstruction, do not accept it.
        weights: `None` for random weights, or `"imagenet"` for the pretrained weights of Keras
            (VGG16, VGG19, ResNet50, ResNet101, ResNet152, DenseNet121, DenseNet169, DenseNet201,
            MobileNet, MobileNetV2). With 1,000 classes, the whole model is pretrained, otherwise
            only its trunk. The model then has the form of Keras's model, and normalizes its images
            itself; options that contradict this are an error.
        encoder_weights: the same for the encoder of a segmentation model: `None`, `"imagenet"`, or
            a `keras.Model` with the encoder as its trunk, such as a classifier from another run,
            including its preprocessing.
        **options: further arguments of the family, such as `include_top`, `pooling` and
            `features_only` of `ClassifierOptions`; see `model_info(name).options`.

    Returns:
        `keras.Model` from images with values in [0, 1] to logits of shape `(batch, num_classes)`,
        for segmentation to logits of shape `(batch, height, width, num_classes)`, and for upscaling
        and reconstruction to images.

    Raises:
        ValueError: for an unknown name or option, a shape that the architecture does not support,
            or weights that do not fit.
        ConnectionError: if weights cannot be downloaded.

    Example:
        >>> import kerascnn
        >>> model = kerascnn.models.create_model("lenet5", input_shape=(32, 32, 3), num_classes=4)
        >>> model.output_shape
        (None, 4)
        >>> encoder = kerascnn.models.create_model("resnet18", (64, 64, 3), features_only=True)
        >>> sorted(encoder.output)  # by stride
        [2, 4, 8, 16, 32]
        >>> model = kerascnn.models.create_model("unet_resnet18", encoder="mobilenet_v2")
        >>> model.output_shape
        (None, 360, 480, 11)
    """
    family, config, name = row_of(name)
    family.options_of(name, options)  # rejects unknown options first
    num_classes = _checked_classes(name, family, num_classes)
    whole = num_classes == 1000 and options.get("include_top", True)
    whole = whole and not options.get("features_only", False)
    if weights is not None:
        form = imagenet.offered_form(weights, "weights", name, "name")
        options = imagenet.in_form(options, form)
    if encoder_weights is not None:
        if not hasattr(config, "encoder"):
            raise UsageError(f"{name!r} has no encoder; got encoder_weights={encoder_weights!r}.")
        encoder = encoder_of(config, options.get("encoder"))
        options = with_form_of(encoder_weights, encoder, options)
    found = family.options_of(name, options)
    input_shape = shape_of(family) if input_shape is None else input_shape
    try:
        model = family.builder(config, input_shape, num_classes, found, name)
    except UsageError:
        raise
    except ValueError as error:  # from a layer, because of an option or the shape
        raise UsageError(str(error)) from error
    if weights is not None:
        imagenet.load(model, form, whole)
    if encoder_weights is not None:
        load_encoder(model, encoder_weights, encoder)
    return model


def _checked_classes(name, family, num_classes):
    if num_classes is None:
        return family.num_classes
    if family.num_classes is None:
        raise UsageError(
            f"{name!r} is for {family.task} and has no classes; got num_classes={num_classes}."
        )
    return at_least_one(num_classes, "num_classes")
