"""U-Nets with any classifier as encoder."""

from dataclasses import dataclass

from keras import layers as keras_layers

from kerascnn.models.conv_norm import ConvNorm
from kerascnn.models.encoder import EncoderOptions, build_encoder
from kerascnn.models.family import Family
from kerascnn.models.inputs import channel_axis
from kerascnn.models.outputs import image_model, pixel_logits
from kerascnn.models.upsample import upsample

INPUT_SHAPE = (360, 480, 3)


@dataclass(frozen=True)
class EncoderUNetConfig:
    """Configuration of a U-Net with a classifier as encoder, for images of any size.

    Args:
        encoder: str, the name of a classifier that can be an encoder.

    Reference:
        [Ronneberger et al., 2015](https://arxiv.org/abs/1505.04597); the decoder comes from
        [Segmentation Models](https://github.com/qubvel-org/segmentation_models.pytorch)

    Example:
        >>> import kerascnn
        >>> config = kerascnn.models.rows.EncoderUNetConfig(encoder="resnet20")
        >>> kerascnn.models.create_model(config, (50, 71, 3), num_classes=5).output_shape
        (None, 50, 71, 5)
    """

    encoder: str


VARIANTS = {
    "unet_resnet18": EncoderUNetConfig("resnet18"),
    "unet_resnet34": EncoderUNetConfig("resnet34"),
    "unet_resnet50": EncoderUNetConfig("resnet50"),
}


@dataclass(frozen=True)
class EncoderUNetOptions(EncoderOptions):
    """Options of a U-Net with a classifier as encoder, in addition to `EncoderOptions`.

    Args:
        width: int, filters of the decoder at full resolution; at stride `s` there are `s` times as
            many.
        upsampling: `"bilinear"`, `"transposed"` or `"pixel_shuffle"`.
    """

    width: int = 16
    upsampling: str = "bilinear"


def _encoder_unet(config, input_shape, num_classes, options, name):
    trunk = build_encoder(config, options, input_shape, pad_to=32)
    conv_norm = ConvNorm()
    features = dict(trunk.output)
    stride = max(features)
    x = features.pop(stride)
    for finer in sorted({*features, 1}, reverse=True):
        prefix = f"decoder_stride{finer}"
        x = upsample(x, options.upsampling, factor=stride // finer, name=f"{prefix}_{{}}")
        if finer in features:
            merge = keras_layers.Concatenate(channel_axis(), name=f"{prefix}_skip")
            x = merge([x, features[finer]])
        for i in (1, 2):
            x = conv_norm(x, options.width * finer, 3, name=f"{prefix}_{{}}{i}")
        stride = finer
    return image_model(trunk.inputs[0], pixel_logits(num_classes, kernel_size=3)(x), name)


FAMILIES = (
    Family(
        builder=_encoder_unet,
        options=EncoderUNetOptions,
        variants=VARIANTS,
        input_shape=INPUT_SHAPE,
        num_classes=11,
        task="segmentation",
    ),
)
