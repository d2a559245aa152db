"""Rows of the model tables, and the options of `create_model` for each family."""

from kerascnn.models.alexnet import AlexNetConfig, AlexNetOptions
from kerascnn.models.autoencoder import AutoencoderConfig, AutoencoderOptions
from kerascnn.models.classifier import ClassifierOptions
from kerascnn.models.deeplabv3 import DeepLabV3Config, DeepLabV3Options
from kerascnn.models.densenet import DenseNetConfig, DenseNetOptions
from kerascnn.models.edsr import EDSRConfig, EDSROptions
from kerascnn.models.encoder import EncoderOptions
from kerascnn.models.encoder_unet import EncoderUNetConfig, EncoderUNetOptions
from kerascnn.models.espcn import ESPCNConfig, ESPCNOptions
from kerascnn.models.fcn import FCNConfig, FCNOptions
from kerascnn.models.googlenet import GoogLeNetConfig, GoogLeNetOptions, InceptionRow
from kerascnn.models.lenet import LeNetConfig, OriginalLeNetConfig
from kerascnn.models.linknet import LinkNetConfig, LinkNetOptions
from kerascnn.models.mlp import MLPConfig, MLPOptions
from kerascnn.models.mobilenet_v1 import MobileNetV1Config, MobileNetV1Options
from kerascnn.models.mobilenet_v2 import MobileNetV2Config, MobileNetV2Options
from kerascnn.models.neocognitron import (
    NeocognitronConfig,
    NeocognitronOptions,
    ShuntingNeocognitronConfig,
    ShuntingNeocognitronOptions,
)
from kerascnn.models.resnet import ResNetConfig, ResNetOptions
from kerascnn.models.segnet import SegNetConfig, SegNetOptions
from kerascnn.models.shufflenet_v1 import ShuffleNetV1Config, ShuffleNetV1Options
from kerascnn.models.shufflenet_v2 import ShuffleNetV2Config, ShuffleNetV2Options
from kerascnn.models.unet import UNetConfig, UNetOptions
from kerascnn.models.vgg import VGGConfig, VGGOptions

__all__ = [
    "AlexNetConfig",
    "AlexNetOptions",
    "AutoencoderConfig",
    "AutoencoderOptions",
    "ClassifierOptions",
    "DeepLabV3Config",
    "DeepLabV3Options",
    "DenseNetConfig",
    "DenseNetOptions",
    "EDSRConfig",
    "EDSROptions",
    "ESPCNConfig",
    "ESPCNOptions",
    "EncoderOptions",
    "EncoderUNetConfig",
    "EncoderUNetOptions",
    "FCNConfig",
    "FCNOptions",
    "GoogLeNetConfig",
    "GoogLeNetOptions",
    "InceptionRow",
    "LeNetConfig",
    "LinkNetConfig",
    "LinkNetOptions",
    "MLPConfig",
    "MLPOptions",
    "MobileNetV1Config",
    "MobileNetV1Options",
    "MobileNetV2Config",
    "MobileNetV2Options",
    "NeocognitronConfig",
    "NeocognitronOptions",
    "OriginalLeNetConfig",
    "ResNetConfig",
    "ResNetOptions",
    "SegNetConfig",
    "SegNetOptions",
    "ShuffleNetV1Config",
    "ShuffleNetV1Options",
    "ShuffleNetV2Config",
    "ShuffleNetV2Options",
    "ShuntingNeocognitronConfig",
    "ShuntingNeocognitronOptions",
    "UNetConfig",
    "UNetOptions",
    "VGGConfig",
    "VGGOptions",
]


def __dir__():
    return __all__
