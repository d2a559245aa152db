"""ESPCN: all arithmetic at the low resolution, then one sub-pixel convolution."""

from dataclasses import dataclass

import keras

from kerascnn import layers
from kerascnn.arguments import at_least_one
from kerascnn.models.ends import answer_dtype, channel_axis, image_input
from kerascnn.models.family import Family

INPUT_SHAPE = (None, None, 1)


@dataclass(frozen=True)
class ESPCNConfig:
    """One row of the table of variants.

    Args:
        factor: int, how many times higher and wider the answer is.
        widths: filters of the convolutions before the last.
        kernel_sizes: kernel sizes of all convolutions.
    """

    factor: int
    widths: tuple[int, ...] = (64, 32)
    kernel_sizes: tuple[int, ...] = (5, 3, 3)


# Shi et al., 2016, section 3.2
VARIANTS = {f"espcn_x{factor}": ESPCNConfig(factor) for factor in (2, 3, 4)}


def espcn(config, input_shape=INPUT_SHAPE, activation="tanh", name="espcn"):
    """Builds an ESPCN, which answers with a larger image.

    Args:
        config: `ESPCNConfig`.
        input_shape: `(height, width, channels)` in Keras's image data format; height and width may
            be `None`. The paper's images have one channel, the luminance.
        activation: activation function of the convolutions before the last.
        name: str, the model's name.

    Returns:
        `keras.Model` from images of shape `(batch, *input_shape)` with values from 0 to 1 to
        images `factor` times as high and wide, with values of about 0 to 1.

    Raises:
        ValueError: if an argument is none of the above.

    Reference:
        [Shi et al., 2016](https://arxiv.org/abs/1609.05158)

    Example:
        >>> import kerascnn
        >>> config = kerascnn.models.ESPCNConfig(factor=3)
        >>> kerascnn.models.espcn(config, (10, 20, 1)).output_shape
        (None, 30, 60, 1)
    """
    at_least_one(config.factor, "factor")
    inputs, x = image_input(input_shape)
    *sizes, last = config.kernel_sizes
    for i, (filters, kernel_size) in enumerate(zip(config.widths, sizes, strict=True), 1):
        x = layers.GroupConv2D(
            filters, kernel_size, padding="same", activation=activation, name=f"conv{i}"
        )(x)
    x = layers.SubpixelConv2D(
        inputs.shape[channel_axis()],
        last,
        config.factor,
        dtype=answer_dtype(),
        name="head_upsample",
    )(x)
    return keras.Model(inputs, x, name=name)


FAMILIES = (
    Family(
        builder=espcn,
        variants=VARIANTS,
        input_shape=INPUT_SHAPE,
        num_classes=None,
        task="upscaling",
    ),
)
