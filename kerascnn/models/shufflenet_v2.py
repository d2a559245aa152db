"""ShuffleNetV2: units that change half of the channels, and a channel shuffle."""

from dataclasses import dataclass

from keras import layers as keras_layers
from keras import ops as kops

from kerascnn import layers
from kerascnn.arguments import UsageError, at_least_one
from kerascnn.models.classifier import ClassifierOptions, classifier
from kerascnn.models.conv_norm import ConvNorm
from kerascnn.models.family import Family
from kerascnn.models.heads import dropped_average
from kerascnn.models.inputs import channel_axis
from kerascnn.models.lengths import one_for_each
from kerascnn.models.stems import stem_pool

INPUT_SHAPE = (224, 224, 3)


@dataclass(frozen=True)
class ShuffleNetV2Config:
    """Configuration of a ShuffleNetV2, a column of the paper's table 5.

    Args:
        widths: output channels of the units in each stage, even numbers.
        depths: units in each stage; the first one halves the resolution.
        stem_width: filters of the first convolution.
        head_width: filters of the last convolution.

    Reference:
        [Ma et al., 2018](https://arxiv.org/abs/1807.11164)

    Example:
        >>> import kerascnn
        >>> config = kerascnn.models.rows.ShuffleNetV2Config((16, 32), (2, 2), 8, head_width=64)
        >>> kerascnn.models.create_model(config, (32, 32, 3), num_classes=10).output_shape
        (None, 10)
    """

    widths: tuple[int, ...]
    depths: tuple[int, ...] = (4, 8, 4)
    stem_width: int = 24
    head_width: int = 1024

    def __post_init__(self):
        one_for_each(self, "depths", "widths")


VARIANTS = {
    # Ma et al., 2018, table 5
    "shufflenet_v2_x0_5": ShuffleNetV2Config(widths=(48, 96, 192)),
    "shufflenet_v2_x1_0": ShuffleNetV2Config(widths=(116, 232, 464)),
    "shufflenet_v2_x1_5": ShuffleNetV2Config(widths=(176, 352, 704)),
    "shufflenet_v2_x2_0": ShuffleNetV2Config(widths=(244, 488, 976), head_width=2048),
}


@dataclass(frozen=True)
class ShuffleNetV2Options(ClassifierOptions):
    """Options of a ShuffleNetV2, in addition to `ClassifierOptions`.

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
    if any(width % 2 for width in config.widths):
        raise UsageError(f"`widths` must be even; got widths={config.widths}.")
    conv_norm = ConvNorm(epsilon=options.epsilon)
    features = {}
    x = features[stride] = conv_norm(x, config.stem_width, 3, stride, name="stem_{}")
    x = stem_pool(x)
    stride *= 2
    features[stride] = x
    for stage, (depth, width) in enumerate(zip(config.depths, config.widths, strict=True), 2):
        for block in range(1, depth + 1):
            prefix = f"stage{stage}_block{block}"
            if block == 1:
                halves = [
                    _shortcut(x, width // 2, conv_norm, prefix),
                    _branch(x, width // 2, 2, conv_norm, prefix),
                ]
            else:
                untouched, x = kops.split(x, 2, axis=channel_axis())  # pyright: ignore[reportGeneralTypeIssues]
                halves = [untouched, _branch(x, width // 2, 1, conv_norm, prefix)]
            x = keras_layers.Concatenate(axis=channel_axis(), name=f"{prefix}_concat")(halves)
            x = layers.ChannelShuffle(2, name=f"{prefix}_shuffle")(x)
        stride *= 2
        features[stride] = x
    features[stride] = conv_norm(x, config.head_width, 1, name="last_{}")
    return features


def _branch(x, filters, strides, conv_norm, prefix):
    x = conv_norm(x, filters, 1, name=f"{prefix}_{{}}1")
    x = conv_norm.depthwise(x, 3, strides, activate=False, name=f"{prefix}_{{}}2")
    return conv_norm(x, filters, 1, name=f"{prefix}_{{}}3")


def _shortcut(x, filters, conv_norm, prefix):
    x = conv_norm.depthwise(x, 3, 2, activate=False, name=f"{prefix}_shortcut_{{}}1")
    return conv_norm(x, filters, 1, name=f"{prefix}_shortcut_{{}}2")


# The index of a convolution in torchvision's sequences, which also count activations; its
# normalization has the next index.
_PLACES = {1: 0, 2: 3, 3: 5}


def _torchvision_names(config):
    return {
        "stem_(conv|bn)": lambda kind: f"conv1.{int(kind == 'bn')}",
        r"stage(\d+)_block(\d+)_(conv|bn)(\d)": (
            lambda stage, block, kind, i: (
                f"stage{stage}.{block - 1}.branch2.{_PLACES[i] + (kind == 'bn')}"
            )
        ),
        r"stage(\d+)_block(\d+)_shortcut_(conv|bn)(\d)": (
            lambda stage, block, kind, i: (
                f"stage{stage}.{block - 1}.branch1.{2 * i - 2 + (kind == 'bn')}"
            )
        ),
        "last_(conv|bn)": lambda kind: f"conv5.{int(kind == 'bn')}",
        "logits": "fc",
    }


FAMILIES = (
    Family(
        builder=classifier(_trunk, dropped_average),
        options=ShuffleNetV2Options,
        variants=VARIANTS,
        input_shape=INPUT_SHAPE,
        encoder=True,
        torchvision_names=_torchvision_names,
    ),
)
