"""DeepLabv3: dilated convolutions, which see far without losing resolution."""

from dataclasses import dataclass

from keras import layers as keras_layers
from keras import ops as kops

from kerascnn import layers
from kerascnn.arguments import one_of
from kerascnn.initializers import Bilinear
from kerascnn.models.conv_norm import ConvNorm
from kerascnn.models.encoder import build_encoder
from kerascnn.models.ends import answer_dtype, channel_axis, image_model, pixel_logits
from kerascnn.models.family import Family
from kerascnn.models.resnet import VARIANTS as RESNET_VARIANTS
from kerascnn.models.upsample import upsample

INPUT_SHAPE = (513, 513, 3)


@dataclass(frozen=True)
class DeepLabV3Config:
    """One row of the table of variants.

    Args:
        encoder: str, the name of a ResNet.
        rates: dilation rates of the pyramid at an output stride of 16.
    """

    encoder: str = "resnet50"
    rates: tuple[int, ...] = (6, 12, 18)


VARIANTS = {
    # Chen et al., 2017, section 4
    "deeplabv3_resnet50": DeepLabV3Config(),
}


def deeplabv3(
    config,
    input_shape=INPUT_SHAPE,
    num_classes=21,
    encoder=None,
    output_stride=16,
    width=256,
    upsampling="bilinear",
    preprocessing=None,
    dropout=0.5,
    name="deeplabv3",
):
    """Builds a DeepLabv3 that answers with logits for every pixel.

    With `output_stride=8` it is torchvision's, whose weights `load_weights_from` takes over.

    Args:
        config: `DeepLabV3Config`.
        input_shape: `(height, width, channels)` in Keras's image data format; height and width may
            be `None`, and of any size.
        num_classes: int, the number of logits of a pixel.
        encoder: optional str, another encoder than that of `config`: a ResNet or ResNeXt for
            ImageNet. `load_weights_from(model, classifier, include_top=False)` takes over its
            weights.
        output_stride: int, 8, 16 or 32: how many times smaller than the images the encoder's last
            feature maps are. The rates of the pyramid are multiplied by `16 / output_stride`.
        width: int, filters of the convolutions of the pyramid.
        upsampling: `"bilinear"`, `"transposed"` or `"pixel_shuffle"`, of the logits.
        preprocessing: `None`, `"caffe"`, `"tf"` or `"torch"`: how Keras's and torchvision's models
            of ImageNet want their images normalized.
        dropout: float, the rate after the pyramid.
        name: str, the model's name.

    Returns:
        `keras.Model` from images of shape `(batch, *input_shape)` with values from 0 to 1 to
        logits of shape `(batch, height, width, num_classes)`.

    Raises:
        ValueError: if an argument is none of the above.

    Reference:
        [Chen et al., 2017](https://arxiv.org/abs/1706.05587)

    Example:
        >>> import kerascnn
        >>> config = kerascnn.models.DeepLabV3Config(encoder="resnet18")
        >>> model = kerascnn.models.deeplabv3(config, (50, 71, 3), num_classes=5, width=8)
        >>> model.output_shape
        (None, 50, 71, 5)
    """
    encoder = one_of(encoder or config.encoder, tuple(RESNET_VARIANTS), "encoder")
    trunk = build_encoder(
        encoder,
        input_shape,
        output_stride=output_stride,
        pad_to=output_stride,
        preprocessing=preprocessing,
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
    x = layers.Dropout(dropout, name="decoder_dropout")(x)
    x = conv_norm(x, width, 3, name="decoder_{}")
    logits = upsample(
        pixel_logits(num_classes)(x),
        upsampling,
        factor=output_stride,
        kernel_size=2 * output_stride,
        kernel_initializer=Bilinear(),
        use_bias=False,
        dtype=answer_dtype(),
        name="logits_{}",
    )
    return image_model(trunk.inputs[0], logits, name)


_TORCHVISION_NAMES = {
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
        builder=deeplabv3,
        variants=VARIANTS,
        input_shape=INPUT_SHAPE,
        num_classes=21,
        task="segmentation",
        torchvision_names=_TORCHVISION_NAMES,
    ),
)
