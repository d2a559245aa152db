"""DeepLabv3: dilated convolutions, which have large receptive fields at high resolution."""

from dataclasses import dataclass

from keras import layers as keras_layers
from keras import ops as kops

from kerascnn import layers
from kerascnn.initializers import Bilinear
from kerascnn.models.conv_norm import ConvNorm
from kerascnn.models.encoder import EncoderOptions, build_encoder, encoder_of
from kerascnn.models.family import Family
from kerascnn.models.inputs import channel_axis
from kerascnn.models.outputs import answer_dtype, image_model, pixel_logits
from kerascnn.models.resnet import VARIANTS as RESNET_VARIANTS
from kerascnn.models.upsample import upsample

INPUT_SHAPE = (513, 513, 3)


@dataclass(frozen=True)
class DeepLabV3Config:
    """Configuration of a DeepLabv3 for images of any size.

    With `output_stride=8` it matches torchvision; `load_weights_from` loads its weights.

    Args:
        encoder: str, the name of a ResNet or ResNeXt for ImageNet.
        rates: dilation rates of the pyramid at an output stride of 16.

    Reference:
        [Chen et al., 2017](https://arxiv.org/abs/1706.05587)

    Example:
        >>> import kerascnn
        >>> config = kerascnn.models.rows.DeepLabV3Config(encoder="resnet18")
        >>> kerascnn.models.create_model(config, (50, 71, 3), 5, width=8).output_shape
        (None, 50, 71, 5)
    """

    encoder: str = "resnet50"
    rates: tuple[int, ...] = (6, 12, 18)


VARIANTS = {
    # Chen et al., 2017, section 4
    "deeplabv3_resnet50": DeepLabV3Config(),
}


@dataclass(frozen=True)
class DeepLabV3Options(EncoderOptions):
    """Options of a DeepLabv3 with a ResNet for ImageNet, in addition to `EncoderOptions`.

    Args:
        output_stride: int, 8, 16 or 32, the stride of the encoder's last feature maps. The rates of
            the pyramid are multiplied by `16 / output_stride`.
        width: int, filters of the convolutions of the pyramid.
        upsampling: `"bilinear"`, `"transposed"` or `"pixel_shuffle"`, of the logits.
        dropout: float, dropout rate after the pyramid.
    """

    output_stride: int = 16
    width: int = 256
    upsampling: str = "bilinear"
    dropout: float = 0.5


def _deeplabv3(config, input_shape, num_classes, options, name):
    encoder_of(config, options.encoder, known=tuple(RESNET_VARIANTS))
    output_stride, width = options.output_stride, options.width
    trunk = build_encoder(
        config, options, input_shape, output_stride=output_stride, pad_to=output_stride
    )
    x = trunk.output[output_stride]
    conv_norm = ConvNorm()
    rates = [max(1, 16 * rate // output_stride) for rate in config.rates]
    pyramid = [conv_norm(x, width, 1, name="decoder_aspp1_{}")]
    for i, rate in enumerate(rates, 2):
        pyramid.append(conv_norm(x, width, 3, dilation_rate=rate, name=f"decoder_aspp{i}_{{}}"))
    pooled = keras_layers.GlobalAveragePooling2D(keepdims=True, name="decoder_pool")(x)
    pooled = conv_norm(pooled, width, 1, name="decoder_pooled_{}")
    pyramid.append(kops.add(kops.zeros_like(pyramid[0]), pooled))
    x = keras_layers.Concatenate(channel_axis(), name="decoder_pyramid")(pyramid)
    x = conv_norm(x, width, 1, name="decoder_project_{}")
    x = layers.Dropout(options.dropout, name="decoder_dropout")(x)
    x = conv_norm(x, width, 3, name="decoder_{}")
    logits = upsample(
        pixel_logits(num_classes)(x),
        options.upsampling,
        factor=output_stride,
        kernel_size=2 * output_stride,
        kernel_initializer=Bilinear(),  # pyright: ignore[reportArgumentType]
        use_bias=False,
        dtype=answer_dtype(),
        name="logits_{}",
    )
    return image_model(trunk.inputs[0], logits, name)


def _torchvision_names(config):
    return {
        "stem_(conv|bn)": lambda kind: f"backbone.{kind}1",
        r"stage(\d+)_block(\d+)_(conv|bn)(\d)": (
            lambda stage, block, kind, i: f"backbone.layer{stage}.{block - 1}.{kind}{i}"
        ),
        r"stage(\d+)_block(\d+)_shortcut_(conv|bn)": (
            lambda stage, block, kind: (
                f"backbone.layer{stage}.{block - 1}.downsample.{int(kind == 'bn')}"
            )
        ),
        r"decoder_aspp(\d)_(conv|bn)": (
            lambda i, kind: f"classifier.0.convs.{i - 1}.{int(kind == 'bn')}"
        ),
        "decoder_pooled_(conv|bn)": lambda kind: f"classifier.0.convs.4.{1 + int(kind == 'bn')}",
        "decoder_project_(conv|bn)": lambda kind: f"classifier.0.project.{int(kind == 'bn')}",
        "decoder_(conv|bn)": lambda kind: f"classifier.{1 + int(kind == 'bn')}",
        "logits": "classifier.4",
    }


FAMILIES = (
    Family(
        builder=_deeplabv3,
        options=DeepLabV3Options,
        variants=VARIANTS,
        input_shape=INPUT_SHAPE,
        num_classes=21,
        task="segmentation",
        torchvision_names=_torchvision_names,
    ),
)
