"""Pretrained encoders, with weights from ImageNet or from a trained classifier."""

import keras

from kerascnn.arguments import UsageError
from kerascnn.models import imagenet
from kerascnn.models.classifiers import CLASSIFIERS
from kerascnn.models.inputs import preprocessing_of
from kerascnn.models.new_head import head_names
from kerascnn.models.weights import load_weights_from


def with_form_of(weights, encoder, options):
    """Returns the options of a model, with the options that the encoder's weights require.

    Args:
        weights: `"imagenet"` or a `keras.Model`.
        encoder: str, the name of the encoder.
        options: the given options of the model.

    Returns:
        dict.

    Raises:
        ValueError: if the weights do not exist, or an option contradicts them.
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
    """Returns the options of an encoder in Keras's form if the model's epsilon shows this form."""
    form = CLASSIFIERS[encoder].pretrained.get(encoder)
    epsilons = {getattr(layer, "epsilon", None) for layer in model.layers}
    return form.options if form and form.options.get("epsilon") in epsilons else {}


def load_encoder(model, weights, encoder):
    """Loads weights into the encoder of a model that was built with `with_form_of`.

    Raises:
        ValueError: if the weights do not fit the encoder.
        ConnectionError: if the weights cannot be downloaded.
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
    """Checks that layers with the same weights compute the same."""
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
                    f"{layer.name!r} has {key}={other.get(key)!r}, and the encoder's has "
                    f"{key}={ours.get(key)!r} (see `encoder_options`)."
                )


def _dilated(ours, theirs, key):
    """Returns whether a difference is caused by dilation, which replaces strides in an encoder."""
    if key == "strides":
        return tuple(ours[key]) == (1, 1)
    return key == "padding" and ours.get("dilation_rate") != theirs.get("dilation_rate")
