"""Classifiers as encoders: what a decoder reads its features from."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from kerascnn.arguments import UsageError, one_of
from kerascnn.models.classifier import ClassifierOptions
from kerascnn.models.classifiers import CLASSIFIERS


@dataclass(frozen=True)
class EncoderOptions:
    """What every model takes whose encoder is the trunk of a classifier.

    Args:
        encoder: optional str, another encoder than that of the config: the name of a classifier
            whose features are as many times smaller than the images as their strides say.
        encoder_options: what that classifier takes besides `ClassifierOptions`, such as `alpha` for
            a MobileNet.
        preprocessing: `None`, `"caffe"`, `"tf"` or `"torch"`: how Keras's and torchvision's models
            of ImageNet want their images normalized.
    """

    encoder: str | None = None
    encoder_options: Mapping[str, Any] = field(default_factory=dict)
    preprocessing: str | None = None


def encoders():
    """Names of the classifiers that can serve as encoders, sorted."""
    return sorted(name for name, family in CLASSIFIERS.items() if family.encoder)


def encoder_of(config, encoder=None, known=None):
    """The name of the encoder: `encoder`, or that of the config; it must be in `known`, if given.

    Raises:
        ValueError: if no such classifier can serve as an encoder.
    """
    return one_of(encoder or config.encoder, known or encoders(), "encoder")


def build_encoder(config, options, input_shape, strides=(), **fixed):
    """Builds the trunk of a classifier.

    Args:
        config: the row of the model, with its `encoder`.
        options: its `EncoderOptions`.
        input_shape: `(height, width, channels)` in Keras's image data format.
        strides: ints, at which a decoder needs features.
        **fixed: options of the classifier that follow from the model, such as `pad_to`.

    Returns:
        `keras.Model` from images to `{stride: features}`, whose layers have their names, and so
        take the weights, of the classifier's.

    Raises:
        ValueError: if the classifier cannot serve as an encoder, does not take the options, or has
            no features at one of the strides.
    """
    name = encoder_of(config, options.encoder)
    family = CLASSIFIERS[name]
    set_elsewhere = {*(option.name for option in fields(ClassifierOptions)), *fixed}
    for option, value in options.encoder_options.items():
        if option in set_elsewhere:
            raise UsageError(
                f"`encoder_options` must not have {option!r}, which follows from the model; "
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
            f"got encoder={name!r}, which has them at {found}."
        )
    return encoder
