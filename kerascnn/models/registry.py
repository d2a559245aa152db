"""The registry of models."""

import difflib
import fnmatch
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import keras

from kerascnn.arguments import UsageError, one_of
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


def list_models(pattern: str = "*", task: str | None = None) -> list[str]:
    """Returns the sorted names of all models that match a shell pattern.

    Args:
        pattern: str, with `*` and `?`.
        task: `None` for all, or `"classification"`, `"segmentation"`, `"upscaling"` or
            `"reconstruction"`.

    Returns:
        list of str.

    Raises:
        ValueError: if `task` is invalid.

    Example:
        >>> import kerascnn
        >>> kerascnn.models.list_models("lenet*", task="classification")
        ['lenet1', 'lenet5', 'lenet5_1998']
    """
    one_of(task, (None, *TASKS), "task")
    names = fnmatch.filter(_MODELS, pattern)
    return sorted(name for name in names if task in (None, _MODELS[name].task))


@dataclass(frozen=True)
class ModelInfo:
    """Information about a model.

    Args:
        name: str.
        task: str, `"classification"`, `"segmentation"`, `"upscaling"` or `"reconstruction"`.
        input_shape: `(height, width, channels)` in Keras's image data format, the default of
            `create_model`; height and width are `None` if any size is allowed.
        num_classes: int, the default of `create_model`; `None` for models without classes.
        options: `{name: default}`, the other arguments of `create_model`.
        training_options: the options to train the model with, such as GoogLeNet's auxiliary heads.
        factor: int, the upscaling factor of an upscaling model; `None` for other models.
        encoder: str, the default encoder, a classifier; `None` for models without an encoder.
        pretrained: str, the model of `keras.applications` that provides its ImageNet weights, for
            `weights="imagenet"` or, with an encoder, `encoder_weights="imagenet"`; or `None`.
    """

    name: str
    task: str
    input_shape: tuple[int | None, ...]
    num_classes: int | None
    options: Mapping[str, Any]
    training_options: Mapping[str, Any]
    factor: int | None
    encoder: str | None
    pretrained: str | None


def model_info(name: str) -> ModelInfo:
    """Returns information about a model by name.

    Args:
        name: str, one of `list_models()`.

    Returns:
        `ModelInfo`.

    Raises:
        ValueError: for an unknown name.

    Example:
        >>> import kerascnn
        >>> info = kerascnn.models.model_info("unet_resnet50")
        >>> info.task, info.num_classes, info.encoder, info.pretrained
        ('segmentation', 11, 'resnet50', 'ResNet50')
        >>> kerascnn.models.model_info("espcn_x3").factor
        3
    """
    family, config, name = row_of(name)
    encoder = getattr(config, "encoder", None)
    classifiers = (_MODELS[encoder] if encoder else family).pretrained
    pretrained = classifiers.get(encoder or name)
    return ModelInfo(
        name=name,
        task=family.task,
        input_shape=shape_of(family),
        num_classes=family.num_classes,
        options=asdict(family.options()),
        training_options=dict(family.training_options),
        factor=getattr(config, "factor", None),
        encoder=encoder,
        pretrained=pretrained and pretrained.application,
    )


def rows():
    """Yields `(name, family, config)` of all models."""
    return [(name, family, family.variants[name]) for name, family in _MODELS.items()]


def row_of(name):
    """Returns `(family, config, name)` of a model by name, or by a config of a family.

    Raises:
        ValueError: for anything else; the message lists the names.
    """
    for family in distinct(_MODELS):
        if type(name) is type(next(iter(family.variants.values()))):
            return family, name, type(name).__name__.removesuffix("Config").lower()
    if not isinstance(name, str) or name not in _MODELS:
        close = difflib.get_close_matches(str(name), _MODELS, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        known = ", ".join(repr(model) for model in list_models())
        raise UsageError(f"`name` must be one of {known}; got name={name!r}.{hint}")
    return _MODELS[name], _MODELS[name].variants[name], name


def shape_of(family):
    """Returns the default input shape of a family, in Keras's image data format."""
    height, width, channels = family.input_shape
    if keras.config.image_data_format() == "channels_first":
        return channels, height, width
    return height, width, channels
