"""Builders that wire layers into a `keras.Model`, and all models by name."""

from kerascnn.models.acceleration import accelerate
from kerascnn.models.alexnet import AlexNetConfig, alexnet
from kerascnn.models.autoencoder import AutoencoderConfig, autoencoder
from kerascnn.models.create import create_model
from kerascnn.models.deeplabv3 import DeepLabV3Config, deeplabv3
from kerascnn.models.densenet import DenseNetConfig, densenet
from kerascnn.models.edsr import EDSRConfig, edsr
from kerascnn.models.encoder_unet import EncoderUNetConfig, encoder_unet
from kerascnn.models.espcn import ESPCNConfig, espcn
from kerascnn.models.fcn import FCNConfig, fcn
from kerascnn.models.folding import fold_batch_normalization
from kerascnn.models.googlenet import GoogLeNetConfig, InceptionRow, googlenet
from kerascnn.models.lenet import LeNetConfig, OriginalLeNetConfig, lenet, original_lenet
from kerascnn.models.linknet import LinkNetConfig, linknet
from kerascnn.models.mlp import MLPConfig, mlp
from kerascnn.models.mobilenet_v1 import MobileNetV1Config, mobilenet_v1
from kerascnn.models.mobilenet_v2 import MobileNetV2Config, mobilenet_v2
from kerascnn.models.registry import (
    default_input_shape,
    list_models,
    task_of,
    training_options,
    upscaling_factor,
)
from kerascnn.models.resnet import ResNetConfig, resnet
from kerascnn.models.segnet import SegNetConfig, segnet
from kerascnn.models.shufflenet_v1 import ShuffleNetV1Config, shufflenet_v1
from kerascnn.models.shufflenet_v2 import ShuffleNetV2Config, shufflenet_v2
from kerascnn.models.unet import UNetConfig, unet
from kerascnn.models.vgg import VGGConfig, vgg
from kerascnn.models.weights import head_names, load_weights_from, with_new_head

__all__ = [
    "AlexNetConfig",
    "AutoencoderConfig",
    "DeepLabV3Config",
    "DenseNetConfig",
    "EDSRConfig",
    "ESPCNConfig",
    "EncoderUNetConfig",
    "FCNConfig",
    "GoogLeNetConfig",
    "InceptionRow",
    "LeNetConfig",
    "LinkNetConfig",
    "MLPConfig",
    "MobileNetV1Config",
    "MobileNetV2Config",
    "OriginalLeNetConfig",
    "ResNetConfig",
    "SegNetConfig",
    "ShuffleNetV1Config",
    "ShuffleNetV2Config",
    "UNetConfig",
    "VGGConfig",
    "accelerate",
    "alexnet",
    "autoencoder",
    "create_model",
    "deeplabv3",
    "default_input_shape",
    "densenet",
    "edsr",
    "encoder_unet",
    "espcn",
    "fcn",
    "fold_batch_normalization",
    "googlenet",
    "head_names",
    "lenet",
    "linknet",
    "list_models",
    "load_weights_from",
    "mlp",
    "mobilenet_v1",
    "mobilenet_v2",
    "original_lenet",
    "resnet",
    "segnet",
    "shufflenet_v1",
    "shufflenet_v2",
    "task_of",
    "training_options",
    "unet",
    "upscaling_factor",
    "vgg",
    "with_new_head",
]
