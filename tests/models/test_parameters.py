"""Trainable parameters against what was published, or what the reference implementation counts."""

import math

import pytest

from kerascnn.models import create_model, list_models

# {source: {name: count}}
PUBLISHED = {
    "Keras's example mnist_mlp": {"mlp": 669_706},
    "LeCun et al., NIPS 1989: '2,578 independent parameters'": {"lenet1": 2_578},
    "LeCun et al., 1998: '60,000 trainable free parameters'": {"lenet5_1998": 60_000},
    "PyTorch's tutorial (LeNet-5 with ReLU and max pooling)": {"lenet5": 61_706},
    "Krizhevsky et al., 2012, as Caffe's bvlc_alexnet has it": {"alexnet": 60_965_224},
    "Zeiler and Fergus, 2013, figure 3": {"zfnet": 62_357_608},
    "torchvision": {
        "alexnet_single_column": 61_100_840,
        "vgg11": 132_863_336,
        "vgg13": 133_047_848,
        "vgg16": 138_357_544,
        "vgg19": 143_667_240,
        "googlenet": 6_624_904,
        "resnet18": 11_689_512,
        "resnet34": 21_797_672,
        "resnet50": 25_557_032,
        "resnet101": 44_549_160,
        "resnet152": 60_192_808,
        "resnext50_32x4d": 25_028_904,
        "resnext101_32x8d": 88_791_336,
        "densenet121": 7_978_856,
        "densenet161": 28_681_000,
        "densenet169": 14_149_480,
        "densenet201": 20_013_928,
        "mobilenet_v2": 3_504_872,
        "shufflenet_v2_x0_5": 1_366_792,
        "shufflenet_v2_x1_0": 2_278_604,
        "shufflenet_v2_x1_5": 3_503_624,
        "shufflenet_v2_x2_0": 7_393_996,
    },
    "keras.applications": {"mobilenet_v1": 4_231_976},
    "timm's legacy_seresnet50 (Hu et al., 2018)": {"seresnet50": 28_088_024},
    "He et al., 2016, with shortcuts A, as akamaster's pytorch_resnet_cifar10 has it": {
        "resnet20": 269_722,
        "resnet32": 464_154,
        "resnet44": 658_586,
        "resnet56": 853_018,
        "resnet110": 1_727_962,
    },
    "Xie et al., 2017: '34.4M'": {"resnext29_8x64d": 34_426_698},
}
COUNTS = {name: count for table in PUBLISHED.values() for name, count in table.items()}


def trainable(model):
    return sum(math.prod(weight.shape) for weight in model.trainable_weights)


@pytest.mark.parametrize("name", COUNTS)
def test_counts(name, weights_of_zeros):
    assert trainable(create_model(name)) == COUNTS[name]


def test_googlenet_with_its_auxiliary_heads(weights_of_zeros):
    assert trainable(create_model("googlenet", auxiliary_heads=True)) == 13_004_888  # torchvision


def test_every_model_is_counted():
    # The count of ShuffleNet v1 is derived from its table in test_shufflenet_v1.py.
    known = set(list_models(task="classification")) - set(list_models("shufflenet_v1*"))
    assert known == set(COUNTS)
