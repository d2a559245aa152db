"""ESPCN: convolutions at low resolution, then a sub-pixel convolution."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras

from kerascnn import layers
from kerascnn.arguments import at_least_one
from kerascnn.models.family import Family
from kerascnn.models.inputs import channel_axis, image_input
from kerascnn.models.lengths import entries, length
from kerascnn.models.outputs import answer_dtype

INPUT_SHAPE = (None, None, 1)


@dataclass(frozen=True)
class ESPCNConfig:
    """Configuration of an ESPCN, which upscales images with values in about [0, 1].

    The paper's images have one channel, the luminance; other numbers of channels also work.

    Args:
        factor: int, the upscaling factor.
        widths: filters of the convolutions before the last.
        kernel_sizes: kernel sizes of all convolutions.

    Reference:
        [Shi et al., 2016](https://arxiv.org/abs/1609.05158)

    Example:
        >>> import kerascnn
        >>> config = kerascnn.models.rows.ESPCNConfig(factor=3)
        >>> kerascnn.models.create_model(config, (10, 20, 1)).output_shape
        (None, 30, 60, 1)
    """

    factor: int
    widths: tuple[int, ...] = (64, 32)
    kernel_sizes: tuple[int, ...] = (5, 3, 3)

    def __post_init__(self):
        entries(self, length(self, "widths") + 1, "kernel_sizes")


# Shi et al., 2016, section 3.2
VARIANTS = {f"espcn_x{factor}": ESPCNConfig(factor) for factor in (2, 3, 4)}


@dataclass(frozen=True)
class ESPCNOptions:
    """Options of an ESPCN.

    Args:
        activation: activation function of the convolutions before the last.
    """

    activation: str | Callable[..., Any] | None = "tanh"


def _espcn(config, input_shape, num_classes, options, name):
    at_least_one(config.factor, "factor")
    inputs, x = image_input(input_shape)
    *sizes, last = config.kernel_sizes
    for i, (filters, kernel_size) in enumerate(zip(config.widths, sizes, strict=True), 1):
        x = layers.GroupConv2D(
            filters, kernel_size, padding="same", activation=options.activation, name=f"conv{i}"
        )(x)
    x = layers.SubpixelConv2D(
        inputs.shape[channel_axis()],  # pyright: ignore[reportAttributeAccessIssue]
        last,
        config.factor,
        dtype=answer_dtype(),
        name="head_upsample",
    )(x)
    return keras.Model(inputs, x, name=name)


FAMILIES = (
    Family(
        builder=_espcn,
        options=ESPCNOptions,
        variants=VARIANTS,
        input_shape=INPUT_SHAPE,
        num_classes=None,
        task="upscaling",
    ),
)
