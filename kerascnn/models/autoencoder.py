"""A convolutional autoencoder: reconstructs images from a bottleneck."""

from dataclasses import dataclass

from keras import layers as keras_layers

from kerascnn import layers
from kerascnn.arguments import at_least_one
from kerascnn.models.family import Family
from kerascnn.models.inputs import channel_axis, image_input
from kerascnn.models.outputs import answer_dtype, image_model
from kerascnn.models.upsample import upsample

INPUT_SHAPE = (28, 28, 1)


@dataclass(frozen=True)
class AutoencoderConfig:
    """Configuration of a convolutional autoencoder for images of any size.

    The code is the output of the layer `bottleneck`; the encoder is
    `keras.Model(model.input, model.get_layer("bottleneck").output)`.

    Args:
        code: int, number of channels of the bottleneck.

    Reference:
        [Masci et al., 2011](https://doi.org/10.1007/978-3-642-21735-7_7)

    Example:
        >>> import kerascnn
        >>> config = kerascnn.models.rows.AutoencoderConfig(code=4)
        >>> model = kerascnn.models.create_model(config, (30, 45, 3), width=8)
        >>> model.output_shape, model.get_layer("bottleneck").output.shape
        ((None, 30, 45, 3), (None, 8, 12, 4))
    """

    code: int = 8


VARIANTS = {
    "autoencoder": AutoencoderConfig(),
}


@dataclass(frozen=True)
class AutoencoderOptions:
    """Options of an autoencoder.

    Args:
        width: int, filters of the first convolution; doubled after every pooling.
        depth: int, number of times that the resolution is halved.
        upsampling: `"transposed"`, `"pixel_shuffle"` or `"bilinear"`.
    """

    width: int = 32
    depth: int = 2
    upsampling: str = "transposed"


def _autoencoder(config, input_shape, num_classes, options, name):
    depth = at_least_one(options.depth, "depth")
    inputs, x = image_input(input_shape, pad_to=2**depth)
    widths = [options.width * 2**stage for stage in range(depth)]
    for stage, filters in enumerate(widths, 1):
        x = _convolution(filters, f"stage{stage}_conv")(x)
        x = keras_layers.MaxPooling2D(2, name=f"stage{stage}_pool")(x)
    x = _convolution(config.code, "bottleneck", activation=None)(x)
    for stage in range(depth, 0, -1):
        prefix = f"decoder_stage{stage}"
        x = upsample(x, options.upsampling, widths[stage - 1], name=f"{prefix}_up_{{}}")
        x = _convolution(widths[stage - 1], f"{prefix}_conv")(x)
    channels = inputs.shape[channel_axis()]  # pyright: ignore[reportAttributeAccessIssue]
    x = _convolution(
        channels,
        "decoder_image",
        activation="sigmoid",
        kernel_initializer="glorot_uniform",
        dtype=answer_dtype(),
    )(x)
    return image_model(inputs, x, name)


def _convolution(filters, name, **options):
    options = {"activation": "relu", "kernel_initializer": "he_normal", **options}
    return layers.GroupConv2D(filters, 3, padding="same", name=name, **options)


FAMILIES = (
    Family(
        builder=_autoencoder,
        options=AutoencoderOptions,
        variants=VARIANTS,
        input_shape=INPUT_SHAPE,
        num_classes=None,
        task="reconstruction",
    ),
)
