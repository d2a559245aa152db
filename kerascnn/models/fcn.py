"""FCN: a classifier whose fully connected layers are convolutions, and its scores enlarged."""

from dataclasses import dataclass

from keras import layers as keras_layers

from kerascnn import layers
from kerascnn.arguments import one_of
from kerascnn.initializers import Bilinear
from kerascnn.models.encoder import EncoderOptions, build_encoder
from kerascnn.models.ends import answer_dtype, image_model
from kerascnn.models.family import Family
from kerascnn.models.upsample import upsample

INPUT_SHAPE = (500, 500, 3)


@dataclass(frozen=True)
class FCNConfig:
    """One row of the table of fully convolutional networks, for images of any size.

    The authors put 100 pixels of zeros around the image and crop what comes out of it; here the
    convolutions are "same", so that nothing is shifted.

    Args:
        stride: 32, 16 or 8: that of the finest feature maps which are classified.
        encoder: str, the name of a VGG, or of another classifier with features at the strides 4, 8
            and 32, as far as they are classified.

    Reference:
        [Long et al., 2015](https://arxiv.org/abs/1411.4038)

    Example:
        >>> import kerascnn
        >>> config = kerascnn.models.FCNConfig(stride=16, encoder="vgg11")
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
    """What a fully convolutional network takes besides `EncoderOptions`.

    Args:
        units: int, filters of the two convolutions that were fully connected layers.
        upsampling: `"transposed"`, starting as bilinear interpolation; `"pixel_shuffle"` or
            `"bilinear"`.
        dropout: float, the rate after those two convolutions.
    """

    units: int = 4096
    upsampling: str = "transposed"
    dropout: float = 0.5


def _fcn(config, input_shape, num_classes, options, name):
    one_of(config.stride, (32, 16, 8), "stride")
    # What a VGG pools to the strides of 16 and 8: its features of half the stride.
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
            kernel_initializer=Bilinear(),
            use_bias=False,
            dtype=answer_dtype(),
            name=prefix,
        )

    x = scores(x, 32, "glorot_uniform")
    for stride, finer in skips.items():
        x = larger(x, 2, f"decoder_stride{stride}_{{}}")
        pool = keras_layers.MaxPooling2D(2, name=f"decoder_stride{stride}_pool")
        # From zeros on, so that training begins with the scores of the coarser network.
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
