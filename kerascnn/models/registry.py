"""Models by name."""

import difflib
import fnmatch

import keras

from kerascnn.models.family import joined
from kerascnn.models.lenet import FAMILY as LENET

_MODELS = joined(LENET)


def list_models(pattern="*"):
    """Names of all models that match a shell pattern, sorted.

    Example:
        >>> import kerascnn
        >>> kerascnn.models.list_models("lenet*")
        ['lenet5']
    """
    return sorted(fnmatch.filter(_MODELS, pattern))


def default_input_shape(name):
    """The input shape that `create_model` takes when it is given none."""
    height, width, channels = _family(name).input_shape
    if keras.config.image_data_format() == "channels_first":
        return channels, height, width
    return height, width, channels


def create_model(name, input_shape=None, num_classes=10, **options):
    """Builds a model by name, with fresh weights.

    Args:
        name: str, one of `list_models()`.
        input_shape: `(height, width, channels)` in Keras's image data format; by default that of
            the paper.
        num_classes: int, at least 1: the number of logits.
        **options: further arguments of the model's builder.

    Returns:
        `keras.Model` from images with values from 0 to 1 to logits.

    Raises:
        ValueError: for an unknown name, or a shape that the architecture does not take.

    Example:
        >>> import kerascnn
        >>> model = kerascnn.models.create_model("lenet5", input_shape=(32, 32, 3), num_classes=4)
        >>> model.output_shape
        (None, 4)
    """
    family = _family(name)
    if num_classes < 1:
        raise ValueError(f"`num_classes` must be at least 1; got num_classes={num_classes}.")
    options.setdefault("name", name)
    config = family.variants[name]
    return family.builder(config, input_shape or default_input_shape(name), num_classes, **options)


def _family(name):
    if name not in _MODELS:
        close = difflib.get_close_matches(name, _MODELS, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        known = ", ".join(repr(model) for model in list_models())
        raise ValueError(f"`name` must be one of {known}; got name={name!r}.{hint}")
    return _MODELS[name]
