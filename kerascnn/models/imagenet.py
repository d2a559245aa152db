"""Weights of ImageNet, which Keras offers for download."""

import keras

from kerascnn.arguments import UsageError
from kerascnn.models.classifiers import CLASSIFIERS
from kerascnn.models.family import distinct
from kerascnn.models.weights import load_weights_from


def offered_form(weights, argument, name, of):
    """The form in which a classifier takes the weights.

    Args:
        weights: what `argument` is; it must be `"imagenet"`.
        argument: str, `"weights"` or `"encoder_weights"`.
        name: str, the classifier.
        of: str, the argument that has named the classifier.

    Returns:
        `Pretrained`.

    Raises:
        ValueError: for other weights, or a classifier that Keras does not have.
    """
    offered = {
        key: form for family in distinct(CLASSIFIERS) for key, form in family.pretrained.items()
    }
    if weights != "imagenet":
        allowed = "None or 'imagenet'" if argument == "weights" else "None, 'imagenet' or a model"
        raise UsageError(f"`{argument}` must be {allowed}; got {argument}={weights!r}.")
    if name not in offered:
        raise UsageError(
            f"Weights of ImageNet are offered for {', '.join(sorted(offered))}; got {of}={name!r}."
        )
    return offered[name]


def in_form(options, form):
    """The options of a classifier with those that the weights need.

    Raises:
        ValueError: if an option says otherwise.
    """
    return agreed(
        options,
        {"preprocessing": form.preprocessing, **form.options},
        "weights='imagenet'",
        f"Keras's {form.application}",
    )


def agreed(options, needed, weights, source):
    """The options with those that the weights of a source need, unless one says otherwise."""
    for option, value in needed.items():
        if options.get(option, value) != value:
            raise UsageError(
                f"With {weights}, `{option}` must be {value!r}, that of {source}; "
                f"got {option}={options[option]!r}."
            )
    return {**options, **needed}


def load(model, form, whole):
    """Takes the weights over into a model, or into its trunk or encoder alone.

    Args:
        model: `keras.Model`, in the form of the weights.
        form: `Pretrained`.
        whole: bool, whether the model has the head of ImageNet too.

    Raises:
        ConnectionError: if the weights must be downloaded and cannot be.
    """
    source = _download(form, model.input_shape[1:], whole)
    load_weights_from(model, source, include_top=whole)
    if form.preprocessing == "caffe":
        _swap_red_and_blue(model)


def _download(form, input_shape, whole):
    application = getattr(keras.applications, form.application)
    # The weights of a trunk do not depend on the size of its images.
    shape = {"input_shape": input_shape} if whole else {}
    try:
        return application(weights="imagenet", include_top=whole, **shape)
    except (ValueError, OSError):  # of a wrong shape, or of a disk
        raise
    except Exception as error:  # Keras raises a plain Exception where a download fails
        raise ConnectionError(
            f"The weights of {form.application} are not on this machine and cannot be downloaded: "
            "connect to the network, or take fresh weights."
        ) from error


def _swap_red_and_blue(model):
    """Lets a network that was trained on blue, green and red take red, green and blue."""
    layer = next(layer for layer in model.layers if layer.trainable_weights)
    kernel, *rest = layer.get_weights()
    layer.set_weights([kernel[:, :, ::-1], *rest])
