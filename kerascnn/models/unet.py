"""U-Net: a decoder with skip connections from the encoder at every resolution."""

from dataclasses import dataclass

from keras import layers as keras_layers

from kerascnn import layers
from kerascnn.arguments import at_least_one, one_of
from kerascnn.models.conv_norm import ConvNorm
from kerascnn.models.family import Family
from kerascnn.models.inputs import channel_axis, image_input
from kerascnn.models.outputs import image_model, pixel_logits
from kerascnn.models.upsample import upsample

INPUT_SHAPE = (360, 480, 3)
ORIGINAL_SHAPE = (388, 388, 1)


@dataclass(frozen=True)
class UNetConfig:
    """Configuration of a U-Net for images of any size.

    With `padding="valid"`, an image of 388x388 pixels is padded to 572x572: the overlap-tile
    strategy of the paper, for a whole image at once. Other images are padded to the next size that
    can be halved `depth` times, and the output is cropped.

    Args:
        padding: `"same"`, or `"valid"`, with a reflected margin around the image that the
            convolutions remove.
        normalize: bool, whether convolutions are followed by batch normalization instead of having
            biases.

    Reference:
        [Ronneberger et al., 2015](https://arxiv.org/abs/1505.04597)

    Example:
        >>> import kerascnn
        >>> config = kerascnn.models.rows.UNetConfig()
        >>> kerascnn.models.create_model(config, (50, 71, 3), 5, width=8, depth=2).output_shape
        (None, 50, 71, 5)
    """

    padding: str = "same"
    normalize: bool = True


VARIANTS = {
    # the form in use today
    "unet": UNetConfig(),
}
ORIGINAL_VARIANTS = {
    # Ronneberger et al., 2015, figure 1
    "unet_2015": UNetConfig(padding="valid", normalize=False),
}


@dataclass(frozen=True)
class UNetOptions:
    """Options of a U-Net.

    Args:
        width: int, filters of the first convolutions; doubled after every pooling.
        depth: int, number of times that the resolution is halved.
        upsampling: `"transposed"`, the paper's 2x2 "up-convolution", `"pixel_shuffle"` or
            `"bilinear"`.
        preprocessing: `None`, `"caffe"`, `"tf"` or `"torch"`: normalization of the images, as in
            Keras's and torchvision's ImageNet models.
        dropout: float, dropout rate at the end of the encoder.
    """

    width: int = 64
    depth: int = 4
    upsampling: str = "transposed"
    preprocessing: str | None = None
    dropout: float = 0.0


def _unet(config, input_shape, num_classes, options, name):
    valid = one_of(config.padding, ("same", "valid"), "padding") == "valid"
    width, depth = options.width, at_least_one(options.depth, "depth")
    whole = 2**depth
    inputs, x = image_input(
        input_shape, preprocessing=options.preprocessing, pad_to=1 if valid else whole
    )
    if valid:
        # Two 3x3 convolutions in each stage of encoder and decoder remove this many pixels on each
        # side, with even sizes before every pooling.
        x = layers.PadToMultiple2D(
            whole, margin=6 * whole - 4, remainder=-4 % whole, name="image_pad"
        )(x)

    def convolutions(x, filters, prefix):
        for i in (1, 2):
            x = _convolution(x, filters, config, f"{prefix}_{{}}{i}")
        return x

    skips = []
    for stage in range(1, depth + 1):
        x = convolutions(x, width * 2 ** (stage - 1), f"stage{stage}")
        skips.append(x)
        x = keras_layers.MaxPooling2D(2, name=f"stage{stage}_pool")(x)
    x = convolutions(x, width * whole, f"stage{depth + 1}")
    if options.dropout:
        x = layers.Dropout(options.dropout, name=f"stage{depth + 1}_dropout")(x)
    for stage in range(depth, 0, -1):
        prefix, filters = f"decoder_stage{stage}", width * 2 ** (stage - 1)
        x = upsample(x, options.upsampling, filters, name=f"{prefix}_{{}}")
        skip = skips[stage - 1]
        if valid:
            margin = 6 * 2 ** (depth + 1 - stage) - 8
            skip = layers.CropLike2D(margin, name=f"{prefix}_crop")([skip, x])
        x = keras_layers.Concatenate(channel_axis(), name=f"{prefix}_skip")([skip, x])
        x = convolutions(x, filters, prefix)
    return image_model(inputs, pixel_logits(num_classes)(x), name)


def _convolution(x, filters, config, name):
    conv = layers.GroupConv2D(
        filters,
        3,
        padding=config.padding,
        use_bias=not config.normalize,
        kernel_initializer="he_normal",
        name=name.format("conv"),
    )
    after = ConvNorm().norm if config.normalize else ConvNorm().relu
    return after(conv(x), name=name)


FAMILIES = (
    Family(
        builder=_unet,
        options=UNetOptions,
        variants=VARIANTS,
        input_shape=INPUT_SHAPE,
        num_classes=11,
        task="segmentation",
    ),
    Family(
        builder=_unet,
        options=UNetOptions,
        variants=ORIGINAL_VARIANTS,
        input_shape=ORIGINAL_SHAPE,
        num_classes=2,
        task="segmentation",
    ),
)
