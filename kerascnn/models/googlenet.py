"""GoogLeNet: parallel filters of several sizes, with batch normalization."""

from dataclasses import dataclass

from keras import layers as keras_layers

from kerascnn import layers
from kerascnn.arguments import UsageError
from kerascnn.models.classifier import ClassifierOptions, classifier
from kerascnn.models.conv_norm import ConvNorm
from kerascnn.models.family import Family
from kerascnn.models.heads import dropped_average
from kerascnn.models.inputs import channel_axis, known_size
from kerascnn.models.lengths import entries, one_for_each
from kerascnn.models.outputs import logits_layer

INPUT_SHAPE = (224, 224, 3)


@dataclass(frozen=True)
class InceptionRow:
    """Filters of one Inception module, in the order of the paper's table 1.

    Args:
        conv1: filters of the pointwise branch.
        reduce3: filters of the pointwise convolution before the 3x3 convolution.
        conv3: filters of the 3x3 convolution.
        reduce5: filters of the pointwise convolution before the paper's 5x5 convolution.
        conv5: filters of the paper's 5x5 convolution.
        pool: filters of the pointwise convolution after the pooling.
    """

    conv1: int
    reduce3: int
    conv3: int
    reduce5: int
    conv5: int
    pool: int


@dataclass(frozen=True)
class GoogLeNetConfig:
    """Configuration of a GoogLeNet.

    The form is torchvision's: batch normalization after every convolution instead of local response
    normalization, 3x3 convolutions instead of the paper's 5x5, and pooling that rounds sizes up.
    Its ImageNet weights need `preprocessing="tf"`. Images must have at least 15x15 pixels.

    Args:
        stages: the Inception modules of each stage. The first one is stage 3 of the paper, with
            modules 3a, 3b, ...
        pool_sizes: the size of the max pooling before each stage, which halves the resolution.
        widths: filters of the three convolutions of the stem: 7x7, pointwise and 3x3.
        auxiliary: the modules that auxiliary heads can be attached to.

    Reference:
        [Szegedy et al., 2015](https://arxiv.org/abs/1409.4842)

    Example:
        >>> import kerascnn
        >>> row = kerascnn.models.rows.InceptionRow(8, 4, 8, 4, 8, 8)
        >>> config = kerascnn.models.rows.GoogLeNetConfig(((row,), (row, row)), (3, 2), (8, 8, 16))
        >>> kerascnn.models.create_model(config, (64, 64, 3), num_classes=10).output_shape
        (None, 10)
    """

    stages: tuple[tuple[InceptionRow, ...], ...]
    pool_sizes: tuple[int, ...] = (3, 3, 2)
    widths: tuple[int, int, int] = (64, 64, 192)
    auxiliary: tuple[str, ...] = ("4a", "4d")

    def __post_init__(self):
        one_for_each(self, "stages", "pool_sizes")
        entries(self, 3, "widths")


VARIANTS = {
    # Szegedy et al., 2015, table 1, except the last pooling, which is 2x2 in TensorFlow Slim and
    # therefore in torchvision
    "googlenet": GoogLeNetConfig(
        stages=(
            (
                InceptionRow(64, 96, 128, 16, 32, 32),
                InceptionRow(128, 128, 192, 32, 96, 64),
            ),
            (
                InceptionRow(192, 96, 208, 16, 48, 64),
                InceptionRow(160, 112, 224, 24, 64, 64),
                InceptionRow(128, 128, 256, 24, 64, 64),
                InceptionRow(112, 144, 288, 32, 64, 64),
                InceptionRow(256, 160, 320, 32, 128, 128),
            ),
            (
                InceptionRow(256, 160, 320, 32, 128, 128),
                InceptionRow(384, 192, 384, 48, 128, 128),
            ),
        )
    ),
}


@dataclass(frozen=True)
class GoogLeNetOptions(ClassifierOptions):
    """Options of a GoogLeNet, in addition to `ClassifierOptions`.

    Args:
        auxiliary_heads: bool, whether the model returns `[logits, auxiliary1, auxiliary2]`, for
            images of known height and width. The paper weights the auxiliary losses with 0.3, and
            removes the auxiliary heads after training.
        epsilon: float, epsilon of batch normalization.
        dropout: float, dropout rate before the logits: 0.4 in the paper, 0.2 in torchvision.
        auxiliary_dropout: float, dropout rate before the auxiliary logits.
    """

    auxiliary_heads: bool = False
    epsilon: float = 1e-3
    dropout: float = 0.2
    auxiliary_dropout: float = 0.7


def _smallest(config):
    return 15


def _trunk(x, config, options):
    if options.auxiliary_heads and (options.features_only or not options.include_top):
        raise UsageError(
            "`auxiliary_heads` requires the main head; got auxiliary_heads=True with "
            f"include_top={options.include_top} and features_only={options.features_only}."
        )
    conv_norm = ConvNorm(epsilon=options.epsilon)
    features = {}
    first, second, third = config.widths
    x = features[2] = conv_norm(x, first, 7, strides=2, name="stem_{}1")
    x = _pool(x, 3, "stem")
    x = conv_norm(x, second, 1, name="stem_{}2")
    x = features[4] = conv_norm(x, third, 3, name="stem_{}3")
    for i, (rows, size) in enumerate(zip(config.stages, config.pool_sizes, strict=True)):
        stage = i + 3
        x = _pool(x, size, f"stage{stage}")
        for letter, row in zip("abcdefghijklmnopqrstuvwxyz", rows, strict=False):
            x = _inception(x, row, conv_norm, f"inception{stage}{letter}")
        features[2**stage] = x
    return features


def _pool(x, size, prefix):
    """Applies max pooling with windows that may exceed the bottom and right: PyTorch's ceil mode.

    TensorFlow's "same" would align the windows differently for odd sizes. Zeros do not affect the
    maximum, because the outputs of a ReLU are not negative.
    """
    x = keras_layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"{prefix}_pad")(x)
    return keras_layers.MaxPooling2D(size, strides=2, name=f"{prefix}_pool")(x)


def _inception(x, row, conv_norm, prefix):
    pooled = keras_layers.MaxPooling2D(3, strides=1, padding="same", name=f"{prefix}_pool")(x)
    branches = [
        conv_norm(x, row.conv1, 1, name=f"{prefix}_branch1_{{}}1"),
        conv_norm(
            conv_norm(x, row.reduce3, 1, name=f"{prefix}_branch2_{{}}1"),
            row.conv3,
            3,
            name=f"{prefix}_branch2_{{}}2",
        ),
        # The paper has 5x5 here; TensorFlow Slim has 3x3, and torchvision uses its weights.
        conv_norm(
            conv_norm(x, row.reduce5, 1, name=f"{prefix}_branch3_{{}}1"),
            row.conv5,
            3,
            name=f"{prefix}_branch3_{{}}2",
        ),
        conv_norm(pooled, row.pool, 1, name=f"{prefix}_branch4_{{}}1"),
    ]
    return keras_layers.Concatenate(axis=channel_axis(), name=f"{prefix}_concat")(branches)


def _auxiliary_heads(output_of, num_classes, config, options):
    if not options.auxiliary_heads:
        return []
    conv_norm = ConvNorm(epsilon=options.epsilon)
    return [
        _auxiliary(
            output_of(f"inception{module}_concat"),
            conv_norm,
            num_classes,
            options.auxiliary_dropout,
            f"auxiliary{i}",
        )
        for i, module in enumerate(config.auxiliary, 1)
    ]


def _auxiliary(x, conv_norm, num_classes, dropout, prefix):
    known_size(x)
    x = keras_layers.AdaptiveAveragePooling2D(4, name=f"{prefix}_pool")(x)
    x = conv_norm(x, 128, 1, name=f"{prefix}_{{}}")
    x = keras_layers.Flatten(name=f"{prefix}_flatten")(x)
    x = keras_layers.Dense(1024, activation="relu", name=f"{prefix}_dense")(x)
    x = layers.Dropout(dropout, name=f"{prefix}_dropout")(x)
    return logits_layer(num_classes, name=prefix)(x)


def _torchvision_names(config):
    return {
        r"stem_(conv|bn)(\d)": lambda kind, i: f"conv{i}.{kind}",
        r"(inception\d[a-z])_branch1_(conv|bn)1": (lambda module, kind: f"{module}.branch1.{kind}"),
        r"(inception\d[a-z])_branch([23])_(conv|bn)(\d)": (
            lambda module, branch, kind, i: f"{module}.branch{branch}.{i - 1}.{kind}"
        ),
        r"(inception\d[a-z])_branch4_(conv|bn)1": (
            lambda module, kind: f"{module}.branch4.1.{kind}"
        ),
        r"auxiliary(\d)_(conv|bn)": lambda i, kind: f"aux{i}.conv.{kind}",
        r"auxiliary(\d)_dense": lambda i: f"aux{i}.fc1",
        r"auxiliary(\d)": lambda i: f"aux{i}.fc2",
        "logits": "fc",
    }


FAMILIES = (
    Family(
        builder=classifier(_trunk, dropped_average, auxiliary=_auxiliary_heads, smallest=_smallest),
        options=GoogLeNetOptions,
        variants=VARIANTS,
        input_shape=INPUT_SHAPE,
        encoder=True,
        training_options={"auxiliary_heads": True},
        torchvision_names=_torchvision_names,
    ),
)
