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
# {source: {name: (count, options)}}, of models that answer with images
PUBLISHED_FOR_IMAGES = {
    "mateuszbuda/brain-segmentation-pytorch, on PyTorch Hub": {
        "unet": (7_763_041, {"width": 32, "num_classes": 1}),
    },
    "Segmentation Models: smp.Unet with one class": {
        "unet_resnet18": (14_328_209, {"num_classes": 1}),
        "unet_resnet34": (24_436_369, {"num_classes": 1}),
        "unet_resnet50": (32_521_105, {"num_classes": 1}),
    },
    "Ronneberger et al., 2015, figure 1": {"unet_2015": (31_030_658, {})},
    "wkentaro/pytorch-fcn": {"fcn32s": (136_152_917, {})},
    "Badrinarayanan et al., 2017, in Caffe: biases beside batch normalization": {
        "segnet": (29_449_355, {})
    },
    "torchvision, without the auxiliary head": {
        "deeplabv3_resnet50": (39_638_869, {"output_stride": 8})
    },
    "Shi et al., 2016, one channel": {
        "espcn_x2": (21_284, {}),
        "espcn_x3": (22_729, {}),
        "espcn_x4": (24_752, {}),
    },
    "Lim et al., 2017, the authors' code": {
        "edsr_baseline_x2": (1_369_859, {}),
        "edsr_baseline_x3": (1_554_499, {}),
        "edsr_baseline_x4": (1_517_571, {}),
    },
}
COUNTS_FOR_IMAGES = {
    name: row for table in PUBLISHED_FOR_IMAGES.values() for name, row in table.items()
}
# Published in round numbers
ROUNDED = {
    "linknet": 11.5e6,  # Chaurasia and Culurciello, 2017, table 2
    "segnet_basic": 1.425e6,  # Badrinarayanan et al., 2017, table 1
}
COUNTS = {name: count for table in PUBLISHED.values() for name, count in table.items()}


def trainable(model):
    return sum(math.prod(weight.shape) for weight in model.trainable_weights)


@pytest.mark.parametrize("name", COUNTS)
def test_counts(name, without_weights):
    assert trainable(create_model(name)) == COUNTS[name]


@pytest.mark.parametrize("name", COUNTS_FOR_IMAGES)
def test_counts_for_images(name, without_weights):
    count, options = COUNTS_FOR_IMAGES[name]
    assert trainable(create_model(name, **options)) == count


@pytest.mark.parametrize("name", ROUNDED)
def test_round_numbers(name, without_weights):
    assert trainable(create_model(name)) == pytest.approx(ROUNDED[name], rel=0.01)


# What the finer networks have beside FCN-32s: scores of pools with 512 and 256 channels, and a
# small upsampling for each; the last upsampling is smaller instead.
def test_finer_fcns(without_weights):
    coarse = COUNTS_FOR_IMAGES["fcn32s"][0] - 21 * 21 * 64**2
    finer = coarse + 512 * 21 + 21 + 21 * 21 * 4**2
    assert trainable(create_model("fcn16s")) == finer + 21 * 21 * 32**2
    finer += 256 * 21 + 21 + 21 * 21 * 4**2
    assert trainable(create_model("fcn8s")) == finer + 21 * 21 * 16**2


def test_googlenet_with_its_auxiliary_heads(without_weights):
    assert trainable(create_model("googlenet", auxiliary_heads=True)) == 13_004_888  # torchvision


def test_every_model_is_counted():
    # The count of ShuffleNet v1 is derived from its table in test_shufflenet_v1.py.
    # How many parameters a Neocognitron has is learned.
    known = set(COUNTS) | set(COUNTS_FOR_IMAGES) | set(ROUNDED) | set(list_models("fcn*"))
    known |= set(list_models("neocognitron*"))
    assert set(list_models()) - set(list_models("shufflenet_v1*")) - {"autoencoder"} == known
