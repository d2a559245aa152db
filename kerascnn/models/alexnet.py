"""AlexNet: the first deep convolutional network that won the ImageNet challenge."""

from dataclasses import dataclass

from keras import layers as keras_layers

from kerascnn import layers
from kerascnn.arguments import UsageError, one_of
from kerascnn.models.classifier import ClassifierOptions, classifier
from kerascnn.models.family import Family
from kerascnn.models.heads import dense_head
from kerascnn.models.lengths import entries, length

INPUT_SHAPE = (227, 227, 3)
SINGLE_COLUMN_SHAPE = (224, 224, 3)


@dataclass(frozen=True)
class AlexNetConfig:
    """Configuration of an AlexNet.

    Each of the first two convolutions forms a stage, and the 3x3 convolutions after them form the
    third stage. Every stage ends in overlapping 3x3 max pooling with strides of 2.

    Args:
        filters: filters of each convolution.
        groups: groups of each convolution; by default one.
        kernel_sizes: kernel sizes of the first two convolutions.
        strides: their strides.
        zeros: the zero padding of their inputs.
        pooling: the padding of each pooling: `"valid"`, or `"same"`, which includes the last pixel
            of even sizes.
        normalization: position of the local response normalization in the first two stages:
            `"before_pooling"`, `"after_pooling"`, or `None`.
        units: units of the fully connected layers before the logits.

    Reference:
        [Krizhevsky et al., 2012](https://papers.nips.cc/paper/4824); [Krizhevsky,
        2014](https://arxiv.org/abs/1404.5997)

    Example:
        >>> import kerascnn
        >>> config = kerascnn.models.rows.AlexNetConfig(filters=(8, 16, 24, 16, 16), units=(32, 32))
        >>> kerascnn.models.create_model(config, (67, 67, 3), num_classes=10).output_shape
        (None, 10)
    """

    filters: tuple[int, ...]
    groups: tuple[int, ...] = (1, 1, 1, 1, 1)
    kernel_sizes: tuple[int, int] = (11, 5)
    strides: tuple[int, int] = (4, 1)
    zeros: tuple[int, int] = (0, 2)
    pooling: tuple[str, str, str] = ("valid", "valid", "valid")
    normalization: str | None = None
    units: tuple[int, ...] = (4096, 4096)

    def __post_init__(self):
        entries(self, 2, "kernel_sizes", "strides", "zeros")
        entries(self, 3, "pooling")
        if length(self, "filters") < 2:
            raise UsageError(f"`filters` must have at least 2 entries; got filters={self.filters}.")
        if length(self, "groups") < len(self.filters):
            raise UsageError(
                "`groups` must have one entry for each of `filters`; got "
                f"{len(self.groups)} and {len(self.filters)}."
            )


VARIANTS = {
    # Krizhevsky et al., 2012, section 3.5: two GPUs exchanged their halves of the channels only in
    # the third convolution. 224x224 pixels, as in the text, do not give the 55x55 outputs of the
    # first convolution; 227x227, as in all later implementations, do.
    "alexnet": AlexNetConfig(
        filters=(96, 256, 384, 384, 256),
        groups=(1, 2, 1, 2, 2),
        normalization="before_pooling",
    ),
}
SINGLE_COLUMN_VARIANTS = {
    # Krizhevsky, 2014, footnote 1, as in torchvision
    "alexnet_single_column": AlexNetConfig(filters=(64, 192, 384, 256, 256), zeros=(2, 2)),
}


@dataclass(frozen=True)
class AlexNetOptions(ClassifierOptions):
    """Options of AlexNet and ZFNet, in addition to `ClassifierOptions`.

    Args:
        dropout: float, dropout rate after each fully connected layer before the logits.
    """

    dropout: float = 0.5


def _trunk(x, config, options):
    placed = (None, "before_pooling", "after_pooling")
    one_of(config.normalization, placed, "normalization")
    early = zip(config.kernel_sizes, config.strides, config.zeros, strict=True)
    rows = [*early, *[(3, 1, 1)] * (len(config.filters) - 2)]
    features, stride = {}, 1
    for i, (kernel_size, strides, zeros) in enumerate(rows):
        stage = min(i, 2) + 1
        stride *= strides
        x = features[stride] = layers.GroupConv2D(
            config.filters[i],
            kernel_size,
            strides=strides,
            padding=zeros,
            groups=config.groups[i],
            activation="relu",
            kernel_initializer="he_normal",
            name=f"stage{stage}_conv{max(i - 1, 1)}",
        )(x)
        if stage < 3 or i == len(rows) - 1:
            stride *= 2
            x = features[stride] = _pooled(x, config, stage)
    return features


def _pooled(x, config, stage):
    """Applies the pooling and normalization at the end of a stage."""
    pool = keras_layers.MaxPooling2D(
        3, strides=2, padding=config.pooling[stage - 1], name=f"stage{stage}_pool"
    )
    if stage == 3 or config.normalization is None:
        return pool(x)
    normalize = layers.LocalResponseNormalization(name=f"stage{stage}_lrn")
    return pool(normalize(x)) if config.normalization == "before_pooling" else normalize(pool(x))


def _smallest(config):
    """Returns the smallest height and width that leave one pixel at the end."""
    size = 1
    for stage in (2, 1, 0):
        size = 2 * size - 1 if config.pooling[stage] == "same" else 2 * size + 1
        if stage < 2:
            size = (size - 1) * config.strides[stage] + config.kernel_sizes[stage]
            size -= 2 * config.zeros[stage]
    return size


def _torchvision_names(config):
    return {
        "stage1_conv1": "features.0",
        "stage2_conv1": "features.3",
        "stage3_conv1": "features.6",
        "stage3_conv2": "features.8",
        "stage3_conv3": "features.10",
        "head_dense1": "classifier.1",
        "head_dense2": "classifier.4",
        "logits": "classifier.6",
    }


alexnet = classifier(_trunk, dense_head, smallest=_smallest)
FAMILIES = (
    Family(builder=alexnet, options=AlexNetOptions, variants=VARIANTS, input_shape=INPUT_SHAPE),
    Family(
        builder=alexnet,
        options=AlexNetOptions,
        variants=SINGLE_COLUMN_VARIANTS,
        input_shape=SINGLE_COLUMN_SHAPE,
        torchvision_names=_torchvision_names,
    ),
)
