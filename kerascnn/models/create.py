"""Models by name, with fresh weights or with weights that exist."""

import inspect

import keras

from kerascnn.models.registry import default_input_shape, families, family_of
from kerascnn.models.weights import load_weights_from


def create_model(name, input_shape=None, num_classes=None, weights=None, **options):
    """Builds a model by name.

    Args:
        name: str, one of `list_models()`.
        input_shape: `(height, width, channels)` in Keras's image data format; by default that of
            the paper.
        num_classes: int, at least 1: the number of logits; by default that of the paper. Models
            without classes, those for upscaling and reconstruction, take none.
        weights: `None` for fresh weights, or `"imagenet"` for those that Keras offers for download
            (VGG16, VGG19, ResNet50, ResNet101, ResNet152, DenseNet121, MobileNet, MobileNetV2).
            With 1,000 classes that is the whole network, otherwise its trunk. The model then has
            the form of Keras's, and normalizes its images itself; an option that says otherwise is
            refused.
        **options: further arguments of the model's builder, such as `include_top`, `pooling` and,
            for an encoder, `features_only`.

    Returns:
        `keras.Model` from images with values from 0 to 1 to logits of shape
        `(batch, num_classes)`, for segmentation to logits for every pixel, for upscaling and
        reconstruction to images.

    Raises:
        ValueError: for an unknown name or option, or a shape that the architecture does not take.
        ConnectionError: if weights must be downloaded and cannot be.

    Example:
        >>> import kerascnn
        >>> model = kerascnn.models.create_model("lenet5", input_shape=(32, 32, 3), num_classes=4)
        >>> model.output_shape
        (None, 4)
        >>> encoder = kerascnn.models.create_model("resnet18", (64, 64, 3), features_only=True)
        >>> sorted(encoder.output)  # by stride
        [2, 4, 8, 16, 32]
    """
    family = family_of(name)
    if family.num_classes is None and num_classes is not None:
        raise ValueError(
            f"{name!r} is for {family.task} and has no classes; got num_classes={num_classes}."
        )
    num_classes = family.num_classes if num_classes is None else num_classes
    if num_classes is not None and num_classes < 1:
        raise ValueError(f"`num_classes` must be at least 1; got num_classes={num_classes}.")
    classes = () if num_classes is None else (num_classes,)
    _check_options(name, family.builder, 2 + len(classes), options)
    options = {"name": name, **options}
    input_shape = input_shape or default_input_shape(name)

    def build(**form):
        config = family.variants[name]
        return family.builder(config, input_shape, *classes, **{**form, **options})

    if weights is None:
        return build()
    return _with_imagenet_weights(build, name, weights, num_classes, options)


def _check_options(name, builder, positional, options):
    known = list(inspect.signature(builder).parameters)[positional:]
    unknown = [option for option in options if option not in known]
    for option in unknown:
        raise ValueError(
            f"The options of {name!r} are {', '.join(known)}; got {option}={options[option]!r}."
        )


def _with_imagenet_weights(build, name, weights, num_classes, options):
    offered = {key: row for family in families() for key, row in family.pretrained.items()}
    if weights != "imagenet":
        raise ValueError(f"`weights` must be None or 'imagenet'; got weights={weights!r}.")
    if name not in offered:
        raise ValueError(
            f"Weights of ImageNet are offered for {', '.join(sorted(offered))}; got name={name!r}."
        )
    form = offered[name]
    for option, value in {"preprocessing": form.preprocessing, **form.options}.items():
        if options.get(option, value) != value:
            raise ValueError(
                f"With weights='imagenet', `{option}` must be {value!r}, that of Keras's "
                f"{form.application}; got {option}={options[option]!r}."
            )
    model = build(preprocessing=form.preprocessing, **form.options)
    whole = options.get("include_top", True) and num_classes == 1000
    whole = whole and not options.get("features_only", False)
    source = _download(form, model.input_shape[1:], whole)
    load_weights_from(model, source, include_top=whole)
    if form.preprocessing == "caffe":
        _swap_red_and_blue(model)
    return model


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
            "connect to the network, or take weights=None."
        ) from error


def _swap_red_and_blue(model):
    """Lets a network that was trained on blue, green and red take red, green and blue."""
    layer = next(layer for layer in model.layers if layer.trainable_weights)
    kernel, *rest = layer.get_weights()
    layer.set_weights([kernel[:, :, ::-1], *rest])
