"""Encoders with weights that exist: of ImageNet, or of a classifier that was trained before."""

import keras

from kerascnn.arguments import UsageError
from kerascnn.models import imagenet
from kerascnn.models.classifiers import CLASSIFIERS
from kerascnn.models.ends import preprocessing_of
from kerascnn.models.new_head import head_names
from kerascnn.models.weights import load_weights_from


def with_form_of(weights, encoder, options):
    """The options of a model with those that the weights of its encoder need.

    Args:
        weights: `"imagenet"` or a `keras.Model`.
        encoder: str, the name of the encoder.
        options: those of the model that were given.

    Returns:
        dict.

    Raises:
        ValueError: if the weights do not exist, or an option says otherwise.
    """
    own = options.get("encoder_options", {})
    if not isinstance(weights, keras.Model):
        form = imagenet.offered_form(weights, "encoder_weights", encoder, "encoder")
        needed = form.preprocessing
        source = "encoder_weights='imagenet'", f"Keras's {form.application}"
        own = imagenet.agreed(own, form.options, *source)
    else:
        needed = preprocessing_of(weights)
        source = "these `encoder_weights`", f"{weights.name!r}"
        own = {**_keras_form(weights, encoder), **own}
    preprocessing = {} if needed is None else {"preprocessing": needed}
    return {**imagenet.agreed(options, preprocessing, *source), "encoder_options": own}


def _keras_form(model, encoder):
    """The options of an encoder in Keras's form, if the model has that, which its epsilon shows."""
    form = CLASSIFIERS[encoder].pretrained.get(encoder)
    epsilons = {getattr(layer, "epsilon", None) for layer in model.layers}
    return form.options if form and form.options.get("epsilon") in epsilons else {}


def load_encoder(model, weights, encoder):
    """Takes the weights over into the encoder of a model, which `with_form_of` gave its form.

    Raises:
        ValueError: if the weights do not fit the encoder.
        ConnectionError: if they must be downloaded and cannot be.
    """
    if not isinstance(weights, keras.Model):
        imagenet.load(model, CLASSIFIERS[encoder].pretrained[encoder], whole=False)
        return
    _check_form(model, weights, encoder)
    try:
        load_weights_from(model, weights, include_top=False)
    except UsageError as error:
        raise UsageError(
            f"`encoder_weights` must be a model with the trunk of {encoder!r}, but {error}"
        ) from error


def _check_form(model, source, encoder):
    """Layers with the same weights must compute the same with them."""
    theirs = {layer.name: layer.get_config() for layer in source.layers}
    head = set(head_names(model))
    for layer in model.layers:
        if layer.name in head or layer.name not in theirs or not layer.weights:
            continue
        ours, other = layer.get_config(), theirs[layer.name]
        for key in ("epsilon", "padding", "strides"):
            if ours.get(key) != other.get(key) and not _dilated(ours, other, key):
                raise UsageError(
                    f"`encoder_weights` must have the form of {encoder!r}; its layer "
                    f"{layer.name!r} has {key}={other.get(key)!r}, and that of the encoder "
                    f"{key}={ours.get(key)!r} (see `encoder_options`)."
                )


def _dilated(ours, theirs, key):
    """Whether a difference comes from dilation, which an encoder has in place of strides."""
    if key == "strides":
        return tuple(ours[key]) == (1, 1)
    return key == "padding" and ours.get("dilation_rate") != theirs.get("dilation_rate")
