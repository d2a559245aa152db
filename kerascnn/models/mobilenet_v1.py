"""MobileNet: depthwise and pointwise convolutions in turn."""

from dataclasses import dataclass

from kerascnn.arguments import at_least_one, one_of
from kerascnn.models.conv_norm import ConvNorm
from kerascnn.models.ends import dropped_average, image_input, model_of
from kerascnn.models.family import Family, Pretrained

INPUT_SHAPE = (224, 224, 3)


@dataclass(frozen=True)
class MobileNetV1Config:
    """One row of the table of variants.

    Args:
        depths: blocks in each stage; every stage but the first halves the resolution.
        widths: filters of the pointwise convolutions in each stage.
        stem_width: filters of the first convolution.
    """

    depths: tuple[int, ...]
    widths: tuple[int, ...]
    stem_width: int = 32


VARIANTS = {
    # Howard et al., 2017, table 1
    "mobilenet_v1": MobileNetV1Config(depths=(1, 2, 2, 6, 2), widths=(64, 128, 256, 512, 1024)),
}


def mobilenet_v1(
    config,
    input_shape=INPUT_SHAPE,
    num_classes=1000,
    include_top=True,
    pooling=None,
    features_only=False,
    preprocessing=None,
    alpha=1.0,
    stem_strides=2,
    padding="same",
    epsilon=1e-3,
    dropout=1e-3,
    pad_to=1,
    name="mobilenet_v1",
):
    """Builds a MobileNet that answers with logits.

    The form is that of the authors' TensorFlow code and of `keras.applications`. (The latter pads
    otherwise where it halves an odd size, which multiples of 32 spare it.)

    Args:
        config: `MobileNetV1Config`.
        input_shape: `(height, width, channels)` in Keras's image data format; height and width may
            be `None`.
        num_classes: int, the number of logits.
        include_top: bool; without it the model answers with its last feature maps.
        pooling: `"avg"` or `"max"`, to get a vector instead of those; or `None`.
        features_only: bool, whether to answer with `{stride: features}` for a decoder.
        preprocessing: `None`, `"caffe"`, `"tf"` or `"torch"`: how Keras's and torchvision's models
            of ImageNet want their images normalized.
        alpha: float, the width multiplier: every layer has `int(alpha * width)` filters.
        stem_strides: int, strides of the first convolution; 1 keeps twice the resolution, for
            images as small as CIFAR's.
        padding: `"same"`, TensorFlow's, or `"symmetric"`, PyTorch's.
        epsilon: float, batch normalization's.
        dropout: float, the rate before the logits.
        pad_to: int: images are mirrored at the lower right until height and width are multiples
            of it, for decoders; 32 fits every encoder.
        name: str, the model's name.

    Returns:
        `keras.Model` from images of shape `(batch, *input_shape)` with values from 0 to 1 to
        logits of shape `(batch, num_classes)`.

    Raises:
        ValueError: if an argument is none of the above.

    Reference:
        [Howard et al., 2017](https://arxiv.org/abs/1704.04861)

    Example:
        >>> import kerascnn
        >>> config = kerascnn.models.MobileNetV1Config((1, 2), (16, 32), stem_width=8)
        >>> model = kerascnn.models.mobilenet_v1(config, (32, 32, 3), num_classes=10)
        >>> model.output_shape
        (None, 10)
    """
    one_of(padding, ("same", "symmetric"), "padding")
    stride = at_least_one(stem_strides, "stem_strides")
    stem_width, *widths = (int(width * alpha) for width in (config.stem_width, *config.widths))
    if min(stem_width, *widths) < 1:
        raise ValueError(f"`alpha` must leave every layer a filter; got alpha={alpha!r}.")
    inputs, x = image_input(input_shape, preprocessing=preprocessing, pad_to=pad_to)
    conv_norm = ConvNorm(epsilon=epsilon, max_value=6.0, padding=padding)
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

    head = dropped_average(dropout)
    return model_of(
        inputs, features, num_classes, include_top, pooling, features_only, head=head, name=name
    )


def _number(stage, block):
    """`keras.applications` counts the blocks through, from 1."""
    return sum(VARIANTS["mobilenet_v1"].depths[: stage - 1]) + block


FAMILIES = (
    Family(
        builder=mobilenet_v1,
        variants=VARIANTS,
        input_shape=INPUT_SHAPE,
        pretrained={"mobilenet_v1": Pretrained("MobileNet", "tf")},
        keras_names={
            "stem_conv": "conv1",
            "stem_bn": "conv1_bn",
            r"stage(\d+)_block(\d+)_depthwise_conv": (
                lambda stage, block: f"conv_dw_{_number(stage, block)}"
            ),
            r"stage(\d+)_block(\d+)_depthwise_bn": (
                lambda stage, block: f"conv_dw_{_number(stage, block)}_bn"
            ),
            r"stage(\d+)_block(\d+)_pointwise_conv": (
                lambda stage, block: f"conv_pw_{_number(stage, block)}"
            ),
            r"stage(\d+)_block(\d+)_pointwise_bn": (
                lambda stage, block: f"conv_pw_{_number(stage, block)}_bn"
            ),
            "logits": "conv_preds",
        },
    ),
)
