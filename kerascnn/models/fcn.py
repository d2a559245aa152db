"""FCN: a classifier whose fully connected layers are convolutions, and its answers enlarged."""

from dataclasses import dataclass

from keras import layers as keras_layers

from kerascnn import layers
from kerascnn.arguments import one_of
from kerascnn.initializers import Bilinear
from kerascnn.models.encoder import build_encoder
from kerascnn.models.ends import answer_dtype, image_model
from kerascnn.models.family import Family
from kerascnn.models.upsample import upsample

INPUT_SHAPE = (500, 500, 3)


@dataclass(frozen=True)
class FCNConfig:
    """One row of the table of variants.

    Args:
        stride: 32, 16 or 8: that of the finest feature maps which are classified.
    """

    stride: int


VARIANTS = {
    # Long et al., 2015, section 4.2
    "fcn32s": FCNConfig(stride=32),
    "fcn16s": FCNConfig(stride=16),
    "fcn8s": FCNConfig(stride=8),
}


def fcn(
    config,
    input_shape=INPUT_SHAPE,
    num_classes=21,
    encoder="vgg16",
    units=4096,
    upsampling="transposed",
    preprocessing=None,
    dropout=0.5,
    name="fcn",
):
    """Builds a fully convolutional network that answers with logits for every pixel.

    The authors put 100 pixels of zeros around the image and crop what comes out of it; here the
    convolutions are "same", so that nothing is shifted.

    Args:
        config: `FCNConfig`.
        input_shape: `(height, width, channels)` in Keras's image data format; height and width may
            be `None`, and of any size.
        num_classes: int, the number of logits of a pixel.
        encoder: str, a VGG of `list_models("vgg*")`, whose weights `load_weights_from` takes over.
        units: int, filters of the two convolutions that were fully connected layers.
        upsampling: `"transposed"`, starting as bilinear interpolation; `"pixel_shuffle"` or
            `"bilinear"`.
        preprocessing: `None`, `"caffe"`, `"tf"` or `"torch"`: how Keras's and torchvision's models
            of ImageNet want their images normalized.
        dropout: float, the rate after those two convolutions.
        name: str, the model's name.

    Returns:
        `keras.Model` from images of shape `(batch, *input_shape)` with values from 0 to 1 to
        logits of shape `(batch, height, width, num_classes)`.

    Raises:
        ValueError: if an argument is none of the above.

    Reference:
        [Long et al., 2015](https://arxiv.org/abs/1411.4038)

    Example:
        >>> import kerascnn
        >>> config = kerascnn.models.FCNConfig(stride=16)
        >>> model = kerascnn.models.fcn(config, (50, 70, 3), 5, encoder="vgg11", units=16)
        >>> model.output_shape
        (None, 50, 70, 5)
    """
    one_of(config.stride, (32, 16, 8), "stride")
    # What a VGG pools to the strides of 16 and 8: its features of half the stride.
    skips = {stride: stride // 2 for stride in (16, 8) if stride >= config.stride}
    trunk = build_encoder(
        encoder, input_shape, (32, *skips.values()), pad_to=32, preprocessing=preprocessing
    )
    x = trunk.output[32]
    for i, kernel_size in ((6, 7), (7, 1)):
        x = layers.GroupConv2D(
            units,
            kernel_size,
            padding="same",
            activation="relu",
            kernel_initializer="he_normal",
            name=f"decoder_fc{i}",
        )(x)
        x = layers.Dropout(dropout, name=f"decoder_dropout{i}")(x)

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
            upsampling,
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
        # From zeros on, so that training begins with the coarser network's answers.
        skip = scores(pool(trunk.output[finer]), stride, "zeros")
        x = keras_layers.Add(dtype=answer_dtype(), name=f"decoder_stride{stride}_add")([x, skip])
    return image_model(trunk.inputs[0], larger(x, config.stride, "logits_{}"), name)


FAMILIES = (
    Family(
        builder=fcn,
        variants=VARIANTS,
        input_shape=INPUT_SHAPE,
        num_classes=21,
        task="segmentation",
    ),
)
