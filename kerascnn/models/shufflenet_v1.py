"""ShuffleNet: pointwise group convolutions, and a channel shuffle that mixes the groups."""

from dataclasses import dataclass

from keras import layers as keras_layers

from kerascnn import layers
from kerascnn.arguments import at_least_one
from kerascnn.models.classifier import ClassifierOptions, classifier
from kerascnn.models.conv_norm import ConvNorm
from kerascnn.models.family import Family
from kerascnn.models.heads import dropped_average
from kerascnn.models.inputs import channel_axis
from kerascnn.models.lengths import one_for_each
from kerascnn.models.stems import stem_pool

INPUT_SHAPE = (224, 224, 3)


@dataclass(frozen=True)
class ShuffleNetV1Config:
    """Configuration of a ShuffleNet, a column of the paper's table 1.

    Args:
        groups: `g`, groups of the pointwise convolutions; it divides the widths.
        widths: output channels of the units in each stage. Their 3x3 convolutions have a quarter of
            these channels.
        depths: units in each stage; the first one halves the resolution.
        stem_width: filters of the first convolution.

    Reference:
        [Zhang et al., 2018](https://arxiv.org/abs/1707.01083)

    Example:
        >>> import kerascnn
        >>> config = kerascnn.models.rows.ShuffleNetV1Config(2, (24, 48), (2, 2), stem_width=8)
        >>> kerascnn.models.create_model(config, (32, 32, 3), num_classes=10).output_shape
        (None, 10)
    """

    groups: int
    widths: tuple[int, ...]
    depths: tuple[int, ...] = (4, 8, 4)
    stem_width: int = 24

    def __post_init__(self):
        one_for_each(self, "depths", "widths")


VARIANTS = {
    # Zhang et al., 2018, table 1
    "shufflenet_v1_g1": ShuffleNetV1Config(groups=1, widths=(144, 288, 576)),
    "shufflenet_v1_g2": ShuffleNetV1Config(groups=2, widths=(200, 400, 800)),
    "shufflenet_v1_g3": ShuffleNetV1Config(groups=3, widths=(240, 480, 960)),
    "shufflenet_v1_g4": ShuffleNetV1Config(groups=4, widths=(272, 544, 1088)),
    "shufflenet_v1_g8": ShuffleNetV1Config(groups=8, widths=(384, 768, 1536)),
}


@dataclass(frozen=True)
class ShuffleNetV1Options(ClassifierOptions):
    """Options of a ShuffleNet, in addition to `ClassifierOptions`.

    Args:
        stem_strides: int, strides of the first convolution; 1 doubles the resolution, for small
            images such as CIFAR's.
        epsilon: float, epsilon of batch normalization.
        dropout: float, dropout rate before the logits.
    """

    stem_strides: int = 2
    epsilon: float = 1e-5
    dropout: float = 0.0


def _trunk(x, config, options):
    stride = at_least_one(options.stem_strides, "stem_strides")
    conv_norm = ConvNorm(epsilon=options.epsilon)
    features = {}
    x = features[stride] = conv_norm(x, config.stem_width, 3, stride, name="stem_{}")
    x = stem_pool(x)
    stride *= 2
    features[stride] = x
    for stage, (depth, width) in enumerate(zip(config.depths, config.widths, strict=True), 2):
        for block in range(1, depth + 1):
            # The first unit has too few input channels for groups (section 3.3).
            first_groups = 1 if (stage, block) == (2, 1) else config.groups
            unit = _halving_unit if block == 1 else _unit
            x = unit(x, width, first_groups, config.groups, conv_norm, f"stage{stage}_block{block}")
        stride *= 2
        features[stride] = x
    return features


def _unit(x, width, first_groups, groups, conv_norm, prefix):
    def branch(x):
        return _branch(x, width // 4, width, 1, first_groups, groups, conv_norm, prefix)

    return conv_norm.relu(layers.residual_connection(x, branch), f"{prefix}_{{}}")


def _halving_unit(x, width, first_groups, groups, conv_norm, prefix):
    """A unit that halves the resolution: a pooled shortcut, and a branch for the other channels."""
    filters = width - x.shape[channel_axis()]
    branch = _branch(x, width // 4, filters, 2, first_groups, groups, conv_norm, prefix)
    # Zeros on all sides, to align the windows with the 3x3 convolution; the mean includes them.
    x = keras_layers.ZeroPadding2D(1, name=f"{prefix}_pad")(x)
    x = keras_layers.AveragePooling2D(3, strides=2, name=f"{prefix}_pool")(x)
    x = keras_layers.Concatenate(axis=channel_axis(), name=f"{prefix}_concat")([x, branch])
    return conv_norm.relu(x, f"{prefix}_{{}}")


def _branch(x, inner, filters, strides, first_groups, groups, conv_norm, prefix):
    x = conv_norm(x, inner, 1, groups=first_groups, name=f"{prefix}_{{}}1")
    if groups > 1:
        x = layers.ChannelShuffle(groups, name=f"{prefix}_shuffle")(x)
    x = conv_norm.depthwise(x, 3, strides, activate=False, name=f"{prefix}_{{}}2")
    return conv_norm(x, filters, 1, groups=groups, activate=False, name=f"{prefix}_{{}}3")


FAMILIES = (
    Family(
        builder=classifier(_trunk, dropped_average),
        options=ShuffleNetV1Options,
        variants=VARIANTS,
        input_shape=INPUT_SHAPE,
        encoder=True,
    ),
)
