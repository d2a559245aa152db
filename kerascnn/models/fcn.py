"""FCN: a classifier with convolutions as fully connected layers, and upsampled scores."""

from dataclasses import dataclass

from keras import layers as keras_layers

from kerascnn import layers
from kerascnn.arguments import one_of
from kerascnn.initializers import Bilinear
from kerascnn.models.encoder import EncoderOptions, build_encoder
from kerascnn.models.family import Family
from kerascnn.models.outputs import answer_dtype, image_model
from kerascnn.models.upsample import upsample

INPUT_SHAPE = (500, 500, 3)


@dataclass(frozen=True)
class FCNConfig:
    """Configuration of a fully convolutional network for images of any size.

    The authors pad the image with 100 pixels of zeros and crop the output; here the convolutions
    are "same", so that nothing is shifted.

    Args:
        stride: 32, 16 or 8, the stride of the finest feature maps that are classified.
        encoder: str, the name of a VGG, or of another classifier with features at the strides 4, 8
            and 32, as required by `stride`.

    Reference:
        [Long et al., 2015](https://arxiv.org/abs/1411.4038)

    Example:
        >>> import kerascnn
        >>> config = kerascnn.models.rows.FCNConfig(stride=16, encoder="vgg11")
        >>> kerascnn.models.create_model(config, (50, 70, 3), 5, units=16).output_shape
        (None, 50, 70, 5)
    """

    stride: int
    encoder: str = "vgg16"


VARIANTS = {
    # Long et al., 2015, section 4.2
    "fcn32s": FCNConfig(stride=32),
    "fcn16s": FCNConfig(stride=16),
    "fcn8s": FCNConfig(stride=8),
}


@dataclass(frozen=True)
class FCNOptions(EncoderOptions):
    """Options of a fully convolutional network, in addition to `EncoderOptions`.

    Args:
        units: int, filters of the two convolutions that replace fully connected layers.
        upsampling: `"transposed"`, initialized to bilinear interpolation; `"pixel_shuffle"` or
            `"bilinear"`.
        dropout: float, dropout rate after these two convolutions.
    """

    units: int = 4096
    upsampling: str = "transposed"
    dropout: float = 0.5


def _fcn(config, input_shape, num_classes, options, name):
    one_of(config.stride, (32, 16, 8), "stride")
    # A VGG has strides of 16 and 8 after pooling its features of half the stride.
    skips = {stride: stride // 2 for stride in (16, 8) if stride >= config.stride}
    trunk = build_encoder(config, options, input_shape, (32, *skips.values()), pad_to=32)
    x = trunk.output[32]
    for i, kernel_size in ((6, 7), (7, 1)):
        x = layers.GroupConv2D(
            options.units,
            kernel_size,
            padding="same",
            activation="relu",
            kernel_initializer="he_normal",
            name=f"decoder_fc{i}",
        )(x)
        x = layers.Dropout(options.dropout, name=f"decoder_dropout{i}")(x)

    def scores(x, stride, initializer):
        return layers.PointwiseConv2D(
            num_classes,
            kernel_initializer=initializer,
            dtype=answer_dtype(),
            name=f"decoder_stride{stride}_scores",
        )(x)

    def larger(x, factor, prefix):
        return upsample(
            x,
            options.upsampling,
            factor=factor,
            kernel_size=2 * factor,
            kernel_initializer=Bilinear(),  # pyright: ignore[reportArgumentType]
            use_bias=False,
            dtype=answer_dtype(),
            name=prefix,
        )

    x = scores(x, 32, "glorot_uniform")
    for stride, finer in skips.items():
        x = larger(x, 2, f"decoder_stride{stride}_{{}}")
        pool = keras_layers.MaxPooling2D(2, name=f"decoder_stride{stride}_pool")
        # Initialized to zeros, so that training starts with the scores of the coarser model.
        skip = scores(pool(trunk.output[finer]), stride, "zeros")
        x = keras_layers.Add(dtype=answer_dtype(), name=f"decoder_stride{stride}_add")([x, skip])
    return image_model(trunk.inputs[0], larger(x, config.stride, "logits_{}"), name)


FAMILIES = (
    Family(
        builder=_fcn,
        options=FCNOptions,
        variants=VARIANTS,
        input_shape=INPUT_SHAPE,
        num_classes=21,
        task="segmentation",
    ),
)
