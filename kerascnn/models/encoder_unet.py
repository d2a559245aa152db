"""U-Net whose encoder is a classifier, whatever its architecture."""

from dataclasses import dataclass

from keras import layers as keras_layers

from kerascnn.models.conv_norm import ConvNorm
from kerascnn.models.encoder import build_encoder
from kerascnn.models.ends import channel_axis, image_model, pixel_logits
from kerascnn.models.family import Family
from kerascnn.models.upsample import upsample

INPUT_SHAPE = (360, 480, 3)


@dataclass(frozen=True)
class EncoderUNetConfig:
    """One row of the table of variants.

    Args:
        encoder: str, the name of a classifier that gives its features by stride.
    """

    encoder: str


VARIANTS = {
    "unet_resnet18": EncoderUNetConfig("resnet18"),
    "unet_resnet34": EncoderUNetConfig("resnet34"),
    "unet_resnet50": EncoderUNetConfig("resnet50"),
}


def encoder_unet(
    config,
    input_shape=INPUT_SHAPE,
    num_classes=11,
    encoder=None,
    width=16,
    upsampling="bilinear",
    preprocessing=None,
    name="encoder_unet",
):
    """Builds a U-Net on the encoder of a classifier, which answers with logits for every pixel.

    Args:
        config: `EncoderUNetConfig`.
        input_shape: `(height, width, channels)` in Keras's image data format; height and width may
            be `None`, and of any size.
        num_classes: int, the number of logits of a pixel.
        encoder: optional str, another encoder than that of `config`: the name of a classifier
            with the option `features_only`. `load_weights_from(model, classifier,
            include_top=False)` takes over its weights.
        width: int, filters of the decoder at the resolution of the images; at stride `s` there are
            `s` times as many.
        upsampling: `"bilinear"`, `"transposed"` or `"pixel_shuffle"`.
        preprocessing: `None`, `"caffe"`, `"tf"` or `"torch"`: how Keras's and torchvision's models
            of ImageNet want their images normalized.
        name: str, the model's name.

    Returns:
        `keras.Model` from images of shape `(batch, *input_shape)` with values from 0 to 1 to
        logits of shape `(batch, height, width, num_classes)`.

    Raises:
        ValueError: if an argument is none of the above.

    Reference:
        [Ronneberger et al., 2015](https://arxiv.org/abs/1505.04597); the decoder is that of
        [Segmentation Models](https://github.com/qubvel-org/segmentation_models.pytorch)

    Example:
        >>> import kerascnn
        >>> config = kerascnn.models.EncoderUNetConfig(encoder="resnet20")
        >>> model = kerascnn.models.encoder_unet(config, (50, 71, 3), num_classes=5)
        >>> model.output_shape
        (None, 50, 71, 5)
    """
    trunk = build_encoder(
        encoder or config.encoder, input_shape, pad_to=32, preprocessing=preprocessing
    )
    conv_norm = ConvNorm()
    features = dict(trunk.output)
    stride = max(features)
    x = features.pop(stride)
    for finer in sorted({*features, 1}, reverse=True):
        prefix = f"decoder_stride{finer}"
        x = upsample(x, upsampling, factor=stride // finer, name=f"{prefix}_{{}}")
        if finer in features:
            merge = keras_layers.Concatenate(channel_axis(), name=f"{prefix}_skip")
            x = merge([x, features[finer]])
        for i in (1, 2):
            x = conv_norm(x, width * finer, 3, name=f"{prefix}_{{}}{i}")
        stride = finer
    return image_model(trunk.inputs[0], pixel_logits(num_classes, kernel_size=3)(x), name)


FAMILIES = (
    Family(
        builder=encoder_unet,
        variants=VARIANTS,
        input_shape=INPUT_SHAPE,
        num_classes=11,
        task="segmentation",
    ),
)
