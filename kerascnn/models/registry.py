"""Models by name."""

import difflib
import fnmatch

import keras

from kerascnn.arguments import one_of
from kerascnn.models.autoencoder import FAMILIES as AUTOENCODER
from kerascnn.models.classifiers import CLASSIFIERS
from kerascnn.models.deeplabv3 import FAMILIES as DEEPLABV3
from kerascnn.models.edsr import FAMILIES as EDSR
from kerascnn.models.encoder_unet import FAMILIES as ENCODER_UNET
from kerascnn.models.espcn import FAMILIES as ESPCN
from kerascnn.models.family import TASKS, distinct, joined
from kerascnn.models.fcn import FAMILIES as FCN
from kerascnn.models.linknet import FAMILIES as LINKNET
from kerascnn.models.segnet import FAMILIES as SEGNET
from kerascnn.models.unet import FAMILIES as UNET

_MODELS = joined(
    *distinct(CLASSIFIERS),
    *AUTOENCODER,
    *DEEPLABV3,
    *EDSR,
    *ENCODER_UNET,
    *ESPCN,
    *FCN,
    *LINKNET,
    *SEGNET,
    *UNET,
)


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

    Args:
        name: str, one of `list_models()`.

    Returns:
        str.

    Raises:
        ValueError: for an unknown name.

    Example:
        >>> import kerascnn
        >>> kerascnn.models.task_of("lenet5")
        'classification'
    """
    return family_of(name).task


def default_input_shape(name):
    """The input shape that `create_model` takes when it is given none.

    Args:
        name: str, one of `list_models()`.

    Returns:
        `(height, width, channels)` in Keras's image data format; height and width are `None` where
        any size is taken.

    Raises:
        ValueError: for an unknown name.

    Example:
        >>> import kerascnn
        >>> kerascnn.models.default_input_shape("lenet5")
        (28, 28, 1)
    """
    height, width, channels = family_of(name).input_shape
    if keras.config.image_data_format() == "channels_first":
        return channels, height, width
    return height, width, channels


def training_options(name):
    """Options of `create_model` with which a model is trained: GoogLeNet's auxiliary heads.

    Args:
        name: str, one of `list_models()`.

    Returns:
        dict.

    Raises:
        ValueError: for an unknown name.

    Example:
        >>> import kerascnn
        >>> kerascnn.models.training_options("googlenet")
        {'auxiliary_heads': True}
    """
    return dict(family_of(name).training_options)


def upscaling_factor(name):
    """How many times higher and wider than its images the answers of an upscaling model are.

    Args:
        name: str, one of `list_models(task="upscaling")`.

    Returns:
        int.

    Raises:
        ValueError: for any other name.

    Example:
        >>> import kerascnn
        >>> kerascnn.models.upscaling_factor("espcn_x3")
        3
    """
    family = family_of(name)
    if family.task != "upscaling":
        raise ValueError(f"`name` must be that of an upscaling model; got name={name!r}.")
    return family.variants[name].factor


def families():
    """All families, each once."""
    return distinct(_MODELS)


def family_of(name):
    """The family of a model, by the model's name, or a sentence that lists the known."""
    if name not in _MODELS:
        close = difflib.get_close_matches(name, _MODELS, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        known = ", ".join(repr(model) for model in list_models())
        raise ValueError(f"`name` must be one of {known}; got name={name!r}.{hint}")
    return _MODELS[name]
