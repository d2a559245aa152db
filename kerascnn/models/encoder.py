"""Classifiers as encoders, whose features a decoder reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from kerascnn.arguments import UsageError, one_of
from kerascnn.models.classifier import ClassifierOptions
from kerascnn.models.classifiers import CLASSIFIERS


@dataclass(frozen=True)
class EncoderOptions:
    """Options of every model whose encoder is the trunk of a classifier.

    Args:
        encoder: optional str, an encoder to use instead of the config's: the name of a classifier
            whose features are exactly as many times smaller than the images as their strides.
        encoder_options: options of this classifier besides `ClassifierOptions`, such as `alpha` for
            a MobileNet.
        preprocessing: `None`, `"caffe"`, `"tf"` or `"torch"`: normalization of the images, as in
            Keras's and torchvision's ImageNet models.
    """

    encoder: str | None = None
    encoder_options: Mapping[str, Any] = field(default_factory=dict)
    preprocessing: str | None = None


def encoders():
    """Returns the sorted names of the classifiers that can be encoders."""
    return sorted(name for name, family in CLASSIFIERS.items() if family.encoder)


def encoder_of(config, encoder=None, known=None):
    """Returns the name of the encoder: `encoder`, or the config's; it must be one of `known`.

    Raises:
        ValueError: if the classifier cannot be an encoder.
    """
    name = config.encoder if encoder is None else encoder
    return one_of(name, known or encoders(), "encoder")


def build_encoder(config, options, input_shape, strides=(), **fixed):
    """Builds the trunk of a classifier.

    Args:
        config: the configuration of the model, with its `encoder`.
        options: its `EncoderOptions`.
        input_shape: `(height, width, channels)` in Keras's image data format.
        strides: ints, at which a decoder needs features.
        **fixed: options of the classifier that the model determines, such as `pad_to`.

    Returns:
        `keras.Model` from images to `{stride: features}`, whose layers have the names of the
        classifier's layers, so that weights can be loaded.

    Raises:
        ValueError: if the classifier cannot be an encoder, does not have the options, or has no
            features at one of the strides.
    """
    name = encoder_of(config, options.encoder)
    family = CLASSIFIERS[name]
    set_elsewhere = {*(option.name for option in fields(ClassifierOptions)), *fixed}
    for option, value in options.encoder_options.items():
        if option in set_elsewhere:
            raise UsageError(
                f"`encoder_options` must not have {option!r}, which the model determines; "
                f"got {option}={value!r}."
            )
    found = family.options_of(
        name,
        {
            **options.encoder_options,
            **fixed,
            "preprocessing": options.preprocessing,
            "features_only": True,
        },
    )
    encoder = family.builder(family.variants[name], input_shape, None, found, name)
    if not set(strides) <= set(encoder.output):
        wanted, found = (", ".join(map(str, sorted(given))) for given in (strides, encoder.output))
        raise UsageError(
            f"`encoder` must have features at the strides {wanted}; "
            f"got encoder={name!r}, which has features at {found}."
        )
    return encoder
