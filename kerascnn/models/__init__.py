"""Builders that wire layers into a `keras.Model`, and all models by name."""

from kerascnn.models.alexnet import AlexNetConfig, alexnet
from kerascnn.models.create import create_model
from kerascnn.models.densenet import DenseNetConfig, densenet
from kerascnn.models.googlenet import GoogLeNetConfig, InceptionRow, googlenet
from kerascnn.models.lenet import LeNetConfig, OriginalLeNetConfig, lenet, original_lenet
from kerascnn.models.mlp import MLPConfig, mlp
from kerascnn.models.mobilenet_v1 import MobileNetV1Config, mobilenet_v1
from kerascnn.models.mobilenet_v2 import MobileNetV2Config, mobilenet_v2
from kerascnn.models.registry import (
    default_input_shape,
    list_models,
    task_of,
    training_options,
)
from kerascnn.models.resnet import ResNetConfig, resnet
from kerascnn.models.shufflenet_v1 import ShuffleNetV1Config, shufflenet_v1
from kerascnn.models.shufflenet_v2 import ShuffleNetV2Config, shufflenet_v2
from kerascnn.models.vgg import VGGConfig, vgg
from kerascnn.models.weights import load_weights_from, with_new_head

__all__ = [
    "AlexNetConfig",
    "DenseNetConfig",
    "GoogLeNetConfig",
    "InceptionRow",
    "LeNetConfig",
    "MLPConfig",
    "MobileNetV1Config",
    "MobileNetV2Config",
    "OriginalLeNetConfig",
    "ResNetConfig",
    "ShuffleNetV1Config",
    "ShuffleNetV2Config",
    "VGGConfig",
    "alexnet",
    "create_model",
    "default_input_shape",
    "densenet",
    "googlenet",
    "lenet",
    "list_models",
    "load_weights_from",
    "mlp",
    "mobilenet_v1",
    "mobilenet_v2",
    "original_lenet",
    "resnet",
    "shufflenet_v1",
    "shufflenet_v2",
    "task_of",
    "training_options",
    "vgg",
    "with_new_head",
]
