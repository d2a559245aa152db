"""Residual networks: ResNet for ImageNet and CIFAR, ResNeXt, SE-ResNet."""

from dataclasses import dataclass

from keras import layers as keras_layers
from keras import ops as kops

from kerascnn import layers
from kerascnn.arguments import one_of
from kerascnn.models.classifier import ClassifierOptions, classifier
from kerascnn.models.conv_norm import ConvNorm
from kerascnn.models.family import Family, Pretrained
from kerascnn.models.inputs import channel_axis
from kerascnn.models.lengths import one_for_each
from kerascnn.models.stems import stem_pool

INPUT_SHAPE = (224, 224, 3)
CIFAR_SHAPE = (32, 32, 3)


@dataclass(frozen=True)
class ResNetConfig:
    """Configuration of a residual network.

    Args:
        depths: blocks in each stage; every stage except the first halves the resolution.
        widths: filters of the 3x3 convolutions in each stage, before `groups` increase them.
        block: `"basic"`, two 3x3 convolutions, or `"bottleneck"`, a 3x3 convolution between two
            pointwise convolutions, the last with four times as many filters.
        stem: `"imagenet"`, a 7x7 convolution and max pooling, each with strides of 2, or `"cifar"`,
            a 3x3 convolution.
        shortcut: how a shortcut changes its shape: `"projection"`, a pointwise convolution (the
            paper's option B), or `"zeros"`, which keeps every second pixel and adds channels of
            zeros (option A).
        groups: groups of the 3x3 convolution in a bottleneck, the cardinality of ResNeXt.
        width_per_group: filters of a group in a stage of width 64, 4 in ResNeXt-50 32x4d.
        squeeze_excite: whether a branch ends in channel gates (SE-ResNet).

    Reference:
        [He et al., 2016](https://arxiv.org/abs/1512.03385); [Xie et al.,
        2017](https://arxiv.org/abs/1611.05431); [Hu et al.,
        2018](https://arxiv.org/abs/1709.01507)

    Example:
        >>> import kerascnn
        >>> config = kerascnn.models.rows.ResNetConfig((1, 1), (16, 32), "basic", stem="cifar")
        >>> kerascnn.models.create_model(config, (32, 32, 3), num_classes=10).output_shape
        (None, 10)
    """

    depths: tuple[int, ...]
    widths: tuple[int, ...] = (64, 128, 256, 512)
    block: str = "bottleneck"
    stem: str = "imagenet"
    shortcut: str = "projection"
    groups: int = 1
    width_per_group: int = 64
    squeeze_excite: bool = False

    def __post_init__(self):
        one_for_each(self, "depths", "widths")


VARIANTS = {
    # He et al., 2016, table 1
    "resnet18": ResNetConfig(depths=(2, 2, 2, 2), block="basic"),
    "resnet34": ResNetConfig(depths=(3, 4, 6, 3), block="basic"),
    "resnet50": ResNetConfig(depths=(3, 4, 6, 3)),
    "resnet101": ResNetConfig(depths=(3, 4, 23, 3)),
    "resnet152": ResNetConfig(depths=(3, 8, 36, 3)),
    # Xie et al., 2017, table 1 and section 5.1
    "resnext50_32x4d": ResNetConfig(depths=(3, 4, 6, 3), groups=32, width_per_group=4),
    "resnext101_32x8d": ResNetConfig(depths=(3, 4, 23, 3), groups=32, width_per_group=8),
    # Hu et al., 2018, table 1
    "seresnet50": ResNetConfig(depths=(3, 4, 6, 3), squeeze_excite=True),
}


def _cifar_row(blocks):
    return ResNetConfig((blocks,) * 3, (16, 32, 64), "basic", stem="cifar", shortcut="zeros")


CIFAR_VARIANTS = {
    # He et al., 2016, section 4.2
    "resnet20": _cifar_row(3),
    "resnet32": _cifar_row(5),
    "resnet44": _cifar_row(7),
    "resnet56": _cifar_row(9),
    "resnet110": _cifar_row(18),
    # Xie et al., 2017, section 5.3
    "resnext29_8x64d": ResNetConfig((3, 3, 3), (64, 128, 256), stem="cifar", groups=8),
}


@dataclass(frozen=True)
class ResNetOptions(ClassifierOptions):
    """Options of a residual network, in addition to `ClassifierOptions`.

    Args:
        use_bias: bool, whether convolutions have biases, as in `keras.applications`.
        stride_in: the convolution of a bottleneck that halves the resolution: `"3x3"` (as in
            torchvision, often called v1.5) or `"1x1"`, the first one (as in the paper and
            `keras.applications`).
        epsilon: float, epsilon of batch normalization; 1.001e-5 in `keras.applications`.
        output_stride: int, 8, 16 or 32, the largest stride of the feature maps. From the stage that
            would exceed it on, convolutions are dilated instead, as in DeepLab.
    """

    use_bias: bool = False
    stride_in: str = "3x3"
    epsilon: float = 1e-5
    output_stride: int = 32


def _trunk(x, config, options):
    one_of(config.block, ("basic", "bottleneck"), "block")
    one_of(config.stem, ("imagenet", "cifar"), "stem")
    one_of(config.shortcut, ("projection", "zeros"), "shortcut")
    stride_in = one_of(options.stride_in, ("1x1", "3x3"), "stride_in")
    output_stride = one_of(options.output_stride, (8, 16, 32), "output_stride")
    conv_norm = ConvNorm(epsilon=options.epsilon, use_bias=options.use_bias)
    features, stride, dilation = {}, 1, 1
    if config.stem == "imagenet":
        x = features[2] = conv_norm(x, config.widths[0], 7, strides=2, name="stem_{}")
        x = stem_pool(x)
        stride = 4
    else:
        x = conv_norm(x, config.widths[0], 3, name="stem_{}")
    for stage, (depth, width) in enumerate(zip(config.depths, config.widths, strict=True), 1):
        strides, later_dilation = (2 if stage > 1 else 1), dilation
        if stride * strides > output_stride:
            strides, later_dilation = 1, 2 * dilation
        for block in range(1, depth + 1):
            prefix = f"stage{stage}_block{block}"
            x = _block(x, config, conv_norm, width, strides, stride_in, dilation, prefix)
            stride *= strides
            # The first block of a stage still has the dilation of the stage before.
            strides, dilation = 1, later_dilation
        features[stride] = x
    return features


def _block(x, config, conv_norm, width, strides, stride_in, dilation, prefix):
    bottleneck = config.block == "bottleneck"
    filters = 4 * width if bottleneck else width

    def branch(x):
        names = [f"{prefix}_{{}}{i}" for i in (1, 2, 3)]
        if bottleneck:
            inner = width * config.width_per_group * config.groups // 64
            first, second = (strides, 1) if stride_in == "1x1" else (1, strides)
            x = conv_norm(x, inner, 1, first, name=names[0])
            x = conv_norm(x, inner, 3, second, config.groups, dilation, name=names[1])
            x = conv_norm(x, filters, 1, activate=False, name=names[2])
        else:
            x = conv_norm(x, width, 3, strides, dilation_rate=dilation, name=names[0])
            x = conv_norm(x, width, 3, dilation_rate=dilation, activate=False, name=names[1])
        if config.squeeze_excite:
            x = layers.SqueezeExcite(reduction=16, name=f"{prefix}_se")(x)
        return x

    def shortcut(x):
        channels = x.shape[channel_axis()]
        if strides == 1 and channels == filters:
            return x
        if config.shortcut == "zeros":
            return _with_zeros(x, strides, filters - channels, prefix)
        return conv_norm(x, filters, 1, strides, activate=False, name=f"{prefix}_shortcut_{{}}")

    x = layers.residual_connection(x, branch, shortcut)
    return conv_norm.relu(x, f"{prefix}_{{}}")


def _with_zeros(x, strides, channels, prefix):
    """Keeps every second pixel and appends feature maps of zeros, without parameters."""
    x = keras_layers.AveragePooling2D(1, strides=strides, name=f"{prefix}_shortcut_pool")(x)
    zeros = [(0, 0)] * 4
    zeros[channel_axis()] = (0, channels)
    return kops.pad(x, zeros)


_KERAS = {"use_bias": True, "stride_in": "1x1", "epsilon": 1.001e-5}


def _keras_names(config):
    return {
        "stem_(conv|bn)": lambda kind: f"conv1_{kind}",
        r"stage(\d+)_block(\d+)_(conv|bn)(\d)": (
            lambda stage, block, kind, i: f"conv{stage + 1}_block{block}_{i}_{kind}"
        ),
        r"stage(\d+)_block(\d+)_shortcut_(conv|bn)": (
            lambda stage, block, kind: f"conv{stage + 1}_block{block}_0_{kind}"
        ),
        "logits": "predictions",
    }


def _torchvision_names(config):
    return {
        "stem_(conv|bn)": lambda kind: f"{kind}1",
        r"stage(\d+)_block(\d+)_(conv|bn)(\d)": (
            lambda stage, block, kind, i: f"layer{stage}.{block - 1}.{kind}{i}"
        ),
        r"stage(\d+)_block(\d+)_shortcut_(conv|bn)": (
            lambda stage, block, kind: f"layer{stage}.{block - 1}.downsample.{int(kind == 'bn')}"
        ),
        "logits": "fc",
    }


_BUILDER = classifier(_trunk)
FAMILIES = (
    Family(
        builder=_BUILDER,
        options=ResNetOptions,
        variants=VARIANTS,
        input_shape=INPUT_SHAPE,
        encoder=True,
        pretrained={
            f"resnet{depth}": Pretrained(f"ResNet{depth}", "caffe", _KERAS)
            for depth in (50, 101, 152)
        },
        keras_names=_keras_names,
        torchvision_names=_torchvision_names,
    ),
    Family(
        builder=_BUILDER,
        options=ResNetOptions,
        variants=CIFAR_VARIANTS,
        input_shape=CIFAR_SHAPE,
        num_classes=10,
        encoder=True,
        keras_names=_keras_names,
        torchvision_names=_torchvision_names,
    ),
)
