"""MobileNetV2: residual connections between narrow layers, with wide depthwise convolutions."""

from dataclasses import dataclass

from kerascnn import layers
from kerascnn.arguments import UsageError, at_least_one, one_of
from kerascnn.models.classifier import ClassifierOptions, classifier
from kerascnn.models.conv_norm import ConvNorm
from kerascnn.models.family import Family, Pretrained
from kerascnn.models.heads import dropped_average
from kerascnn.models.inputs import channel_axis
from kerascnn.models.lengths import one_for_each

INPUT_SHAPE = (224, 224, 3)


@dataclass(frozen=True)
class MobileNetV2Config:
    """Configuration of a MobileNetV2, with the columns of the paper's table 2.

    The form is torchvision's; `padding="same"` and `epsilon=1e-3` give the form of the authors'
    TensorFlow code and of `keras.applications`.

    Args:
        expansions: `t`, the ratio of the widths of a stage's depthwise convolutions to the input of
            their block.
        widths: `c`, channels between the blocks of each stage.
        depths: `n`, blocks in each stage.
        strides: `s`, strides of the first block of each stage.
        stem_width: filters of the first convolution.
        head_width: filters of the last convolution.

    Reference:
        [Sandler et al., 2018](https://arxiv.org/abs/1801.04381)

    Example:
        >>> import kerascnn
        >>> config = kerascnn.models.rows.MobileNetV2Config((1, 6), (8, 16), (1, 2), (1, 2))
        >>> kerascnn.models.create_model(config, (32, 32, 3), num_classes=10).output_shape
        (None, 10)
    """

    expansions: tuple[int, ...]
    widths: tuple[int, ...]
    depths: tuple[int, ...]
    strides: tuple[int, ...]
    stem_width: int = 32
    head_width: int = 1280

    def __post_init__(self):
        one_for_each(self, "depths", "expansions", "widths", "strides")


VARIANTS = {
    # Sandler et al., 2018, table 2
    "mobilenet_v2": MobileNetV2Config(
        expansions=(1, 6, 6, 6, 6, 6, 6),
        widths=(16, 24, 32, 64, 96, 160, 320),
        depths=(1, 2, 3, 4, 3, 3, 1),
        strides=(1, 2, 2, 2, 1, 2, 1),
    ),
}


@dataclass(frozen=True)
class MobileNetV2Options(ClassifierOptions):
    """Options of a MobileNetV2, in addition to `ClassifierOptions`.

    Args:
        alpha: float, the width multiplier; widths are rounded to multiples of 8, and the last
            convolution only grows with it.
        stem_strides: int, strides of the first convolution; 1 doubles the resolution, for small
            images such as CIFAR's.
        padding: `"symmetric"` as in PyTorch, or `"same"` as in TensorFlow.
        epsilon: float, epsilon of batch normalization.
        dropout: float, dropout rate before the logits.
    """

    alpha: float = 1.0
    stem_strides: int = 2
    padding: str = "symmetric"
    epsilon: float = 1e-5
    dropout: float = 0.2


def _trunk(x, config, options):
    padding = one_of(options.padding, ("same", "symmetric"), "padding")
    stride = at_least_one(options.stem_strides, "stem_strides")
    alpha = options.alpha
    if alpha <= 0:
        raise UsageError(f"`alpha` must be above 0; got alpha={alpha!r}.")
    conv_norm = ConvNorm(epsilon=options.epsilon, max_value=6.0, padding=padding)
    features = {}
    x = conv_norm(x, _multiple_of_8(config.stem_width * alpha), 3, stride, name="stem_{}")
    rows = zip(config.expansions, config.widths, config.depths, config.strides, strict=True)
    for stage, (expansion, width, depth, stage_strides) in enumerate(rows, 1):
        for block in range(1, depth + 1):
            strides = stage_strides if block == 1 else 1
            filters = _multiple_of_8(width * alpha)
            x = _block(x, filters, expansion, strides, conv_norm, f"stage{stage}_block{block}")
            stride *= strides
        features[stride] = x
    head_width = _multiple_of_8(config.head_width * max(alpha, 1.0))
    features[stride] = conv_norm(x, head_width, 1, name="last_{}")
    return features


def _block(x, filters, expansion, strides, conv_norm, prefix):
    channels = x.shape[channel_axis()]

    def branch(x):
        if expansion > 1:
            x = conv_norm(x, expansion * channels, 1, name=f"{prefix}_expand_{{}}")
        x = conv_norm.depthwise(x, 3, strides, name=f"{prefix}_depthwise_{{}}")
        return conv_norm(x, filters, 1, activate=False, name=f"{prefix}_project_{{}}")

    if strides == 1 and channels == filters:
        return layers.residual_connection(x, branch)
    return branch(x)


def _multiple_of_8(width):
    """Rounds to a multiple of 8 that is at most a tenth smaller, as the authors do."""
    rounded = max(8, int(width + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * width else rounded + 8


def _number(config, stage, block):
    """Numbers the blocks consecutively, from 0, as `keras.applications` and torchvision do."""
    return sum(config.depths[: stage - 1]) + block - 1


_BLOCK = r"stage(\d+)_block(\d+)_(expand|depthwise|project)_(conv|bn)"


def _keras_names(config):
    def in_block(stage, block, role, kind):
        number = _number(config, stage, block)
        prefix = f"block_{number}" if number else "expanded_conv"
        return f"{prefix}_{role}" if kind == "conv" else f"{prefix}_{role}_BN"

    return {
        "stem_conv": "Conv1",
        "stem_bn": "bn_Conv1",
        _BLOCK: in_block,
        "last_conv": "Conv_1",
        "last_bn": "Conv_1_bn",
        "logits": "predictions",
    }


def _torchvision_names(config):
    def in_block(stage, block, role, kind):
        module = f"features.{_number(config, stage, block) + 1}.conv"
        # Blocks without an expansion lack the first part, so the others have lower numbers.
        unexpanded = config.expansions[stage - 1] == 1
        i = ("expand", "depthwise", "project").index(role) - unexpanded
        norm = int(kind == "bn")
        return f"{module}.{i + norm}" if role == "project" else f"{module}.{i}.{norm}"

    last = sum(config.depths) + 1
    return {
        "stem_(conv|bn)": lambda kind: f"features.0.{int(kind == 'bn')}",
        _BLOCK: in_block,
        "last_(conv|bn)": lambda kind: f"features.{last}.{int(kind == 'bn')}",
        "logits": "classifier.1",
    }


FAMILIES = (
    Family(
        builder=classifier(_trunk, dropped_average),
        options=MobileNetV2Options,
        variants=VARIANTS,
        input_shape=INPUT_SHAPE,
        encoder=True,
        pretrained={
            "mobilenet_v2": Pretrained("MobileNetV2", "tf", {"padding": "same", "epsilon": 1e-3})
        },
        keras_names=_keras_names,
        torchvision_names=_torchvision_names,
    ),
)
