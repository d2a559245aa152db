"""MobileNet: alternating depthwise and pointwise convolutions."""

from dataclasses import dataclass

from kerascnn.arguments import UsageError, at_least_one, one_of
from kerascnn.models.classifier import ClassifierOptions, classifier
from kerascnn.models.conv_norm import ConvNorm
from kerascnn.models.family import Family, Pretrained
from kerascnn.models.heads import dropped_average
from kerascnn.models.lengths import one_for_each

INPUT_SHAPE = (224, 224, 3)


@dataclass(frozen=True)
class MobileNetV1Config:
    """Configuration of a MobileNet.

    The form is the same as in the authors' TensorFlow code and in `keras.applications`. (The latter
    pads odd sizes differently before halving them; with multiples of 32 there is no difference.)

    Args:
        depths: blocks in each stage; every stage except the first halves the resolution.
        widths: filters of the pointwise convolutions in each stage.
        stem_width: filters of the first convolution.

    Reference:
        [Howard et al., 2017](https://arxiv.org/abs/1704.04861)

    Example:
        >>> import kerascnn
        >>> config = kerascnn.models.rows.MobileNetV1Config((1, 2), (16, 32), stem_width=8)
        >>> kerascnn.models.create_model(config, (32, 32, 3), num_classes=10).output_shape
        (None, 10)
    """

    depths: tuple[int, ...]
    widths: tuple[int, ...]
    stem_width: int = 32

    def __post_init__(self):
        one_for_each(self, "depths", "widths")


VARIANTS = {
    # Howard et al., 2017, table 1
    "mobilenet_v1": MobileNetV1Config(depths=(1, 2, 2, 6, 2), widths=(64, 128, 256, 512, 1024)),
}


@dataclass(frozen=True)
class MobileNetV1Options(ClassifierOptions):
    """Options of a MobileNet, in addition to `ClassifierOptions`.

    Args:
        alpha: float, the width multiplier: every layer has `int(alpha * width)` filters.
        stem_strides: int, strides of the first convolution; 1 doubles the resolution, for small
            images such as CIFAR's.
        padding: `"same"` as in TensorFlow, or `"symmetric"` as in PyTorch.
        epsilon: float, epsilon of batch normalization.
        dropout: float, dropout rate before the logits.
    """

    alpha: float = 1.0
    stem_strides: int = 2
    padding: str = "same"
    epsilon: float = 1e-3
    dropout: float = 1e-3


def _trunk(x, config, options):
    padding = one_of(options.padding, ("same", "symmetric"), "padding")
    stride = at_least_one(options.stem_strides, "stem_strides")
    widths = (config.stem_width, *config.widths)
    stem_width, *widths = (int(width * options.alpha) for width in widths)
    if min(stem_width, *widths) < 1:
        raise UsageError(f"`alpha` must leave filters in every layer; got alpha={options.alpha!r}.")
    conv_norm = ConvNorm(epsilon=options.epsilon, max_value=6.0, padding=padding)
    features = {}
    x = conv_norm(x, stem_width, 3, stride, name="stem_{}")
    for stage, (depth, width) in enumerate(zip(config.depths, widths, strict=True), 1):
        for block in range(1, depth + 1):
            strides = 2 if stage > 1 and block == 1 else 1
            prefix = f"stage{stage}_block{block}"
            x = conv_norm.depthwise(x, 3, strides, name=f"{prefix}_depthwise_{{}}")
            x = conv_norm(x, width, 1, name=f"{prefix}_pointwise_{{}}")
            stride *= strides
        features[stride] = x
    return features


def _keras_names(config):
    def number(stage, block):
        """`keras.applications` numbers the blocks consecutively, from 1."""
        return sum(config.depths[: stage - 1]) + block

    return {
        "stem_conv": "conv1",
        "stem_bn": "conv1_bn",
        r"stage(\d+)_block(\d+)_depthwise_conv": (
            lambda stage, block: f"conv_dw_{number(stage, block)}"
        ),
        r"stage(\d+)_block(\d+)_depthwise_bn": (
            lambda stage, block: f"conv_dw_{number(stage, block)}_bn"
        ),
        r"stage(\d+)_block(\d+)_pointwise_conv": (
            lambda stage, block: f"conv_pw_{number(stage, block)}"
        ),
        r"stage(\d+)_block(\d+)_pointwise_bn": (
            lambda stage, block: f"conv_pw_{number(stage, block)}_bn"
        ),
        "logits": "conv_preds",
    }


FAMILIES = (
    Family(
        builder=classifier(_trunk, dropped_average),
        options=MobileNetV1Options,
        variants=VARIANTS,
        input_shape=INPUT_SHAPE,
        encoder=True,
        pretrained={"mobilenet_v1": Pretrained("MobileNet", "tf")},
        keras_names=_keras_names,
    ),
)
