"""Classifiers as encoders: what a decoder reads its features from."""

import inspect

from kerascnn.models.classifiers import CLASSIFIERS


def encoders():
    """Names of the classifiers that can give their features by stride, sorted."""
    return sorted(
        name
        for name, family in CLASSIFIERS.items()
        if "features_only" in inspect.signature(family.builder).parameters
    )


def build_encoder(name, input_shape, strides=(), **options):
    """Builds the trunk of a classifier.

    Args:
        name: str, one of `encoders()`.
        input_shape: `(height, width, channels)` in Keras's image data format.
        strides: ints, at which a decoder needs features.
        **options: further arguments of the classifier's builder, such as `pad_to`.

    Returns:
        `keras.Model` from images to `{stride: features}`, whose layers have their names, and so
        take the weights, of the classifier's.

    Raises:
        ValueError: if no such classifier is known, or it cannot serve as an encoder, or has no
            features at one of the strides.
    """
    if name not in encoders():
        known = ", ".join(repr(encoder) for encoder in encoders())
        raise ValueError(f"`encoder` must be one of {known}; got encoder={name!r}.")
    family = CLASSIFIERS[name]
    encoder = family.builder(
        family.variants[name], input_shape, features_only=True, name=name, **options
    )
    if not set(strides) <= set(encoder.output):
        wanted, found = (", ".join(map(str, sorted(given))) for given in (strides, encoder.output))
        raise ValueError(
            f"`encoder` must have features at the strides {wanted}; "
            f"got encoder={name!r}, which has them at {found}."
        )
    return encoder
