"""Models by name."""

import difflib
import fnmatch

import keras

from kerascnn.models.classifiers import CLASSIFIERS
from kerascnn.models.family import TASKS
from kerascnn.ops.shapes import one_of

_MODELS = {**CLASSIFIERS}


def list_models(pattern="*", task=None):
    """Names of all models that match a shell pattern, sorted.

    Args:
        pattern: str, with `*` and `?`.
        task: `None` for all, or `"classification"`, `"segmentation"`, `"upscaling"` or
            `"reconstruction"`.

    Returns:
        list of str.

    Raises:
        ValueError: if `task` is none of the above.

    Example:
        >>> import kerascnn
        >>> kerascnn.models.list_models("lenet*", task="classification")
        ['lenet1', 'lenet5', 'lenet5_1998']
    """
    one_of(task, (None, *TASKS), "task")
    names = fnmatch.filter(_MODELS, pattern)
    return sorted(name for name in names if task in (None, _MODELS[name].task))


def task_of(name):
    """What a model is for: `"classification"`, `"segmentation"`, `"upscaling"`, `"reconstruction"`.

    Example:
        >>> import kerascnn
        >>> kerascnn.models.task_of("lenet5")
        'classification'
    """
    return family_of(name).task


def default_input_shape(name):
    """The input shape that `create_model` takes when it is given none."""
    height, width, channels = family_of(name).input_shape
    if keras.config.image_data_format() == "channels_first":
        return channels, height, width
    return height, width, channels


def training_options(name):
    """Options of `create_model` with which a model is trained: GoogLeNet's auxiliary heads.

    Example:
        >>> import kerascnn
        >>> kerascnn.models.training_options("googlenet")
        {'auxiliary_heads': True}
    """
    return dict(family_of(name).training_options)


def families():
    """All families, each once."""
    return list({id(family): family for family in _MODELS.values()}.values())


def family_of(name):
    """The family of a model, by the model's name, or a sentence that lists the known."""
    if name not in _MODELS:
        close = difflib.get_close_matches(name, _MODELS, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        known = ", ".join(repr(model) for model in list_models())
        raise ValueError(f"`name` must be one of {known}; got name={name!r}.{hint}")
    return _MODELS[name]
