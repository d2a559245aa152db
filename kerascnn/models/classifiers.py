"""All classifiers by name, which can be encoders of other models."""

from kerascnn.models.alexnet import FAMILIES as ALEXNET
from kerascnn.models.densenet import FAMILIES as DENSENET
from kerascnn.models.family import joined
from kerascnn.models.googlenet import FAMILIES as GOOGLENET
from kerascnn.models.lenet import FAMILIES as LENET
from kerascnn.models.mlp import FAMILIES as MLP
from kerascnn.models.mobilenet_v1 import FAMILIES as MOBILENET_V1
from kerascnn.models.mobilenet_v2 import FAMILIES as MOBILENET_V2
from kerascnn.models.neocognitron import FAMILIES as NEOCOGNITRON
from kerascnn.models.resnet import FAMILIES as RESNET
from kerascnn.models.shufflenet_v1 import FAMILIES as SHUFFLENET_V1
from kerascnn.models.shufflenet_v2 import FAMILIES as SHUFFLENET_V2
from kerascnn.models.vgg import FAMILIES as VGG
from kerascnn.models.zfnet import FAMILIES as ZFNET

CLASSIFIERS = joined(
    *ALEXNET,
    *DENSENET,
    *GOOGLENET,
    *LENET,
    *MLP,
    *MOBILENET_V1,
    *MOBILENET_V2,
    *NEOCOGNITRON,
    *RESNET,
    *SHUFFLENET_V1,
    *SHUFFLENET_V2,
    *VGG,
    *ZFNET,
)
