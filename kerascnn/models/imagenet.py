"""ImageNet weights, which Keras offers for download."""

import keras

from kerascnn.arguments import UsageError
from kerascnn.models.classifiers import CLASSIFIERS
from kerascnn.models.family import distinct
from kerascnn.models.weights import load_weights_from


def offered_form(weights, argument, name, of):
    """Returns the form of a classifier that the weights require.

    Args:
        weights: the value of the argument, which must be `"imagenet"`.
        argument: str, `"weights"` or `"encoder_weights"`.
        name: str, the classifier.
        of: str, the argument that names the classifier.

    Returns:
        `Pretrained`.

    Raises:
        ValueError: for other weights, or for a classifier that Keras lacks.
    """
    offered = {
        key: form for family in distinct(CLASSIFIERS) for key, form in family.pretrained.items()
    }
    if weights != "imagenet":
        allowed = "None or 'imagenet'" if argument == "weights" else "None, 'imagenet' or a model"
        raise UsageError(f"`{argument}` must be {allowed}; got {argument}={weights!r}.")
    if name not in offered:
        raise UsageError(
            f"ImageNet weights are available for {', '.join(sorted(offered))}; got {of}={name!r}."
        )
    return offered[name]


def in_form(options, form):
    """Returns the options of a classifier, with the options that the weights require.

    Raises:
        ValueError: if an option contradicts the weights.
    """
    return agreed(
        options,
        {"preprocessing": form.preprocessing, **form.options},
        "weights='imagenet'",
        f"Keras's {form.application}",
    )


def agreed(options, needed, weights, source):
    """Adds the options that the weights of a source require; raises an error on a conflict."""
    for option, value in needed.items():
        if options.get(option, value) != value:
            raise UsageError(
                f"With {weights}, `{option}` must be {value!r}, as in {source}; "
                f"got {option}={options[option]!r}."
            )
    return {**options, **needed}


def load(model, form, whole):
    """Loads the weights into a model, or only into its trunk or encoder.

    Args:
        model: `keras.Model`, in the form of the weights.
        form: `Pretrained`.
        whole: bool, whether the model also has the head for ImageNet.

    Raises:
        ConnectionError: if the weights cannot be downloaded.
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
    except (ValueError, OSError):  # from a wrong shape, or from the disk
        raise
    except Exception as error:  # Keras raises a plain Exception if a download fails
        raise ConnectionError(
            f"The weights of {form.application} are not on this machine and cannot be downloaded: "
            "connect to the network, or use random weights."
        ) from error


def _swap_red_and_blue(model):
    """Converts a model that was trained on BGR images to RGB images."""
    layer = next(layer for layer in model.layers if layer.trainable_weights)
    kernel, *rest = layer.get_weights()
    layer.set_weights([kernel[:, :, ::-1], *rest])
