"""DenseNet: every layer sees the features of all layers before it."""

from dataclasses import dataclass

from keras import layers as keras_layers

from kerascnn import layers
from kerascnn.models.classifier import ClassifierOptions, classifier
from kerascnn.models.conv_norm import ConvNorm
from kerascnn.models.family import Family, Pretrained
from kerascnn.models.inputs import channel_axis
from kerascnn.models.stems import stem_pool

INPUT_SHAPE = (224, 224, 3)


@dataclass(frozen=True)
class DenseNetConfig:
    """Configuration of a densely connected network (DenseNet-BC).

    With four stages, images must have at least 29x29 pixels. The features of a stage, which
    `features_only` returns, are normalized and activated by the layers after it.

    Args:
        depths: dense blocks in each stage, each with a pointwise and a 3x3 convolution. A
            transition between two stages halves the number of channels and the resolution.
        growth_rate: channels that every block adds, `k` in the paper. The pointwise convolution of
            a block has four times as many filters.
        stem_width: filters of the first convolution.

    Reference:
        [Huang et al., 2017](https://arxiv.org/abs/1608.06993)

    Example:
        >>> import kerascnn
        >>> config = kerascnn.models.rows.DenseNetConfig((2, 2), growth_rate=8, stem_width=16)
        >>> kerascnn.models.create_model(config, (32, 32, 3), num_classes=10).output_shape
        (None, 10)
    """

    depths: tuple[int, ...]
    growth_rate: int = 32
    stem_width: int = 64


VARIANTS = {
    # Huang et al., 2017, table 1
    "densenet121": DenseNetConfig(depths=(6, 12, 24, 16)),
    "densenet169": DenseNetConfig(depths=(6, 12, 32, 32)),
    "densenet201": DenseNetConfig(depths=(6, 12, 48, 32)),
    # further models of the authors
    "densenet161": DenseNetConfig(depths=(6, 12, 36, 24), growth_rate=48, stem_width=96),
}


@dataclass(frozen=True)
class DenseNetOptions(ClassifierOptions):
    """Options of a DenseNet, in addition to `ClassifierOptions`.

    Args:
        epsilon: float, epsilon of batch normalization; 1.001e-5 in `keras.applications`.
        dropout: float, dropout rate after the 3x3 convolution of every block.
    """

    epsilon: float = 1e-5
    dropout: float = 0.0


def _smallest(config):
    # The size after the stem, `ceil(side / 4)`, is halved before every stage except the first.
    return 4 * 2 ** (len(config.depths) - 1) - 3


def _trunk(x, config, options):
    conv_norm = ConvNorm(epsilon=options.epsilon)
    features = {}
    x = features[2] = conv_norm(x, config.stem_width, 7, strides=2, name="stem_{}")
    x = stem_pool(x)
    for stage, depth in enumerate(config.depths, 1):
        for block in range(1, depth + 1):
            prefix = f"stage{stage}_block{block}"
            x = _block(x, config.growth_rate, conv_norm, options.dropout, prefix)
        last = stage == len(config.depths)
        prefix = "last" if last else f"transition{stage}"
        x = features[2 ** (stage + 1)] = conv_norm.norm(x, name=f"{prefix}_{{}}")
        if not last:
            x = conv_norm.conv(x, x.shape[channel_axis()] // 2, 1, name=f"{prefix}_{{}}")
            x = keras_layers.AveragePooling2D(2, name=f"{prefix}_pool")(x)
    return features


def _block(x, growth_rate, conv_norm, dropout, prefix):
    def branch(x):
        for i, (filters, kernel_size) in enumerate([(4 * growth_rate, 1), (growth_rate, 3)], 1):
            x = conv_norm.norm(x, name=f"{prefix}_{{}}{i}")
            x = conv_norm.conv(x, filters, kernel_size, name=f"{prefix}_{{}}{i}")
        return layers.Dropout(dropout, name=f"{prefix}_dropout")(x) if dropout else x

    return layers.dense_connection(x, branch, axis=channel_axis())


def _keras_names(config):
    return {
        "stem_(conv|bn)": lambda kind: f"conv1_{kind}",
        r"stage(\d+)_block(\d+)_conv(\d)": (
            lambda stage, block, i: f"conv{stage + 1}_block{block}_{i}_conv"
        ),
        r"stage(\d+)_block(\d+)_bn(\d)": (
            lambda stage, block, i: f"conv{stage + 1}_block{block}_{i - 1}_bn"
        ),
        r"transition(\d+)_(conv|bn)": lambda stage, kind: f"pool{stage + 1}_{kind}",
        "last_bn": "bn",
        "logits": "predictions",
    }


def _torchvision_names(config):
    return {
        "stem_conv": "features.conv0",
        "stem_bn": "features.norm0",
        r"stage(\d+)_block(\d+)_conv(\d)": (
            lambda stage, block, i: f"features.denseblock{stage}.denselayer{block}.conv{i}"
        ),
        r"stage(\d+)_block(\d+)_bn(\d)": (
            lambda stage, block, i: f"features.denseblock{stage}.denselayer{block}.norm{i}"
        ),
        r"transition(\d+)_conv": lambda stage: f"features.transition{stage}.conv",
        r"transition(\d+)_bn": lambda stage: f"features.transition{stage}.norm",
        "last_bn": "features.norm5",
        "logits": "classifier",
    }


FAMILIES = (
    Family(
        builder=classifier(_trunk, smallest=_smallest),
        options=DenseNetOptions,
        variants=VARIANTS,
        input_shape=INPUT_SHAPE,
        encoder=True,
        pretrained={
            f"densenet{depth}": Pretrained(f"DenseNet{depth}", "torch", {"epsilon": 1.001e-5})
            for depth in (121, 169, 201)
        },
        keras_names=_keras_names,
        torchvision_names=_torchvision_names,
    ),
)
