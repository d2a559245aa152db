"""Models by name."""

import difflib
import fnmatch

import keras

from kerascnn.models.alexnet import FAMILIES as ALEXNET
from kerascnn.models.densenet import FAMILIES as DENSENET
from kerascnn.models.family import joined
from kerascnn.models.googlenet import FAMILIES as GOOGLENET
from kerascnn.models.lenet import FAMILIES as LENET
from kerascnn.models.mlp import FAMILIES as MLP
from kerascnn.models.mobilenet_v1 import FAMILIES as MOBILENET_V1
from kerascnn.models.mobilenet_v2 import FAMILIES as MOBILENET_V2
from kerascnn.models.resnet import FAMILIES as RESNET
from kerascnn.models.shufflenet_v1 import FAMILIES as SHUFFLENET_V1
from kerascnn.models.shufflenet_v2 import FAMILIES as SHUFFLENET_V2
from kerascnn.models.vgg import FAMILIES as VGG
from kerascnn.models.zfnet import FAMILIES as ZFNET

_MODELS = joined(
    *ALEXNET,
    *DENSENET,
    *GOOGLENET,
    *LENET,
    *MLP,
    *MOBILENET_V1,
    *MOBILENET_V2,
    *RESNET,
    *SHUFFLENET_V1,
    *SHUFFLENET_V2,
    *VGG,
    *ZFNET,
)


def list_models(pattern="*"):
    """Names of all models that match a shell pattern, sorted.

    Example:
        >>> import kerascnn
        >>> kerascnn.models.list_models("lenet*")
        ['lenet1', 'lenet5', 'lenet5_1998']
    """
    return sorted(fnmatch.filter(_MODELS, pattern))


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
