"""A convolutional autoencoder: an image through a bottleneck, and back."""

from dataclasses import dataclass

from keras import layers as keras_layers

from kerascnn import layers
from kerascnn.arguments import at_least_one
from kerascnn.models.ends import answer_dtype, channel_axis, image_input, image_model
from kerascnn.models.family import Family
from kerascnn.models.upsample import upsample

INPUT_SHAPE = (28, 28, 1)


@dataclass(frozen=True)
class AutoencoderConfig:
    """One row of the table of variants.

    Args:
        code: int, channels of the bottleneck.
    """

    code: int = 8


VARIANTS = {
    "autoencoder": AutoencoderConfig(),
}


def autoencoder(
    config,
    input_shape=INPUT_SHAPE,
    width=32,
    depth=2,
    upsampling="transposed",
    name="autoencoder",
):
    """Builds a convolutional autoencoder, which answers with its image, as far as the code tells.

    The code is what the layer `bottleneck` answers:
    `keras.Model(model.input, model.get_layer("bottleneck").output)` is the encoder alone.

    Args:
        config: `AutoencoderConfig`.
        input_shape: `(height, width, channels)` in Keras's image data format; height and width may
            be `None`, and of any size.
        width: int, filters of the first convolution; twice as many after every pooling.
        depth: int, how often the images are halved.
        upsampling: `"transposed"`, `"pixel_shuffle"` or `"bilinear"`.
        name: str, the model's name.

    Returns:
        `keras.Model` from images of shape `(batch, *input_shape)` with values from 0 to 1 to
        images of the same shape, with values from 0 to 1.

    Raises:
        ValueError: if an argument is none of the above.

    Reference:
        [Masci et al., 2011](https://doi.org/10.1007/978-3-642-21735-7_7)

    Example:
        >>> import kerascnn
        >>> config = kerascnn.models.AutoencoderConfig(code=4)
        >>> model = kerascnn.models.autoencoder(config, (30, 45, 3), width=8)
        >>> model.output_shape, model.get_layer("bottleneck").output.shape
        ((None, 30, 45, 3), (None, 8, 12, 4))
    """
    inputs, x = image_input(input_shape, pad_to=2 ** at_least_one(depth, "depth"))
    widths = [width * 2**stage for stage in range(depth)]
    for stage, filters in enumerate(widths, 1):
        x = _convolution(filters, f"stage{stage}_conv")(x)
        x = keras_layers.MaxPooling2D(2, name=f"stage{stage}_pool")(x)
    x = _convolution(config.code, "bottleneck", activation=None)(x)
    for stage in range(depth, 0, -1):
        prefix = f"decoder_stage{stage}"
        x = upsample(x, upsampling, widths[stage - 1], name=f"{prefix}_up_{{}}")
        x = _convolution(widths[stage - 1], f"{prefix}_conv")(x)
    channels = inputs.shape[channel_axis()]
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
        builder=autoencoder,
        variants=VARIANTS,
        input_shape=INPUT_SHAPE,
        num_classes=None,
        task="reconstruction",
    ),
)
