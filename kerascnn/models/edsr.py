"""EDSR: a residual network for upscaling, without batch normalization."""

from dataclasses import dataclass

import keras

from kerascnn import layers
from kerascnn.arguments import UsageError, at_least_one, one_of
from kerascnn.models.family import Family
from kerascnn.models.inputs import channel_axis, image_input, rescaling
from kerascnn.models.outputs import answer_dtype

INPUT_SHAPE = (None, None, 3)
# The mean color of the training images of DIV2K, and the range of pixel values in the authors'
# code.
MEAN = (0.4488, 0.4371, 0.4040)
RANGE = 255


@dataclass(frozen=True)
class EDSRConfig:
    """Configuration of an EDSR, which upscales images with values in about [0, 1].

    Args:
        factor: 2, 3 or 4, the upscaling factor.
        depth: int, number of residual blocks.
        width: int, number of filters.

    Reference:
        [Lim et al., 2017](https://arxiv.org/abs/1707.02921)

    Example:
        >>> import kerascnn
        >>> config = kerascnn.models.rows.EDSRConfig(factor=4, depth=2, width=8)
        >>> kerascnn.models.create_model(config, (10, 20, 3)).output_shape
        (None, 40, 80, 3)
    """

    factor: int
    depth: int = 16
    width: int = 64


# Lim et al., 2017, table 1
VARIANTS = {f"edsr_baseline_x{factor}": EDSRConfig(factor) for factor in (2, 3, 4)}


@dataclass(frozen=True)
class EDSROptions:
    """Options of an EDSR for images with three channels.

    Args:
        width: optional int, number of filters; by default from the config.
        depth: optional int, number of residual blocks; by default from the config.
    """

    width: int | None = None
    depth: int | None = None


def _edsr(config, input_shape, num_classes, options, name):
    one_of(config.factor, (2, 3, 4), "factor")
    width, depth = _size(config, options, "width"), _size(config, options, "depth")
    inputs, x = image_input(input_shape)
    if inputs.shape[channel_axis()] != 3:  # pyright: ignore[reportAttributeAccessIssue]
        raise UsageError(
            f"`input_shape` must have 3 channels, red, green and blue; got {tuple(input_shape)}."
        )
    x = skip = _convolution(_colors("stem_colors")(x), width, "stem_conv")
    for block in range(1, depth + 1):
        x = _block(x, width, f"block{block}")
    body = _convolution(x, width, "body_conv")
    x = layers.residual_connection(skip, lambda _: body)
    steps = (2, 2) if config.factor == 4 else (config.factor,)
    for i, factor in enumerate(steps, 1):
        x = layers.SubpixelConv2D(width, 3, factor, mode="CRD", name=f"head_upsample{i}")(x)
    x = _convolution(x, 3, "head_conv", dtype=answer_dtype())
    x = _colors_back("head_colors", dtype=answer_dtype())(x)
    return keras.Model(inputs, x, name=name)


def _size(config, options, name):
    """Returns the width or depth of the options, or by default of the config."""
    given = getattr(options, name)
    return at_least_one(getattr(config, name) if given is None else given, name)


def _block(x, width, prefix):
    def branch(x):
        x = keras.layers.ReLU(name=f"{prefix}_relu")(_convolution(x, width, f"{prefix}_conv1"))
        return _convolution(x, width, f"{prefix}_conv2")

    return layers.residual_connection(x, branch)


def _convolution(x, filters, name, dtype=None):
    # PyTorch's initial weights, which are smaller than Keras's: the authors used them to train this
    # many blocks without normalization.
    initializer = keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")
    layer = layers.GroupConv2D(
        filters, 3, padding="same", kernel_initializer=initializer, dtype=dtype, name=name
    )
    return layer(x)


def _colors(name, **options):
    """Converts values in [0, 1] to the authors' range, and subtracts the mean color."""
    return rescaling([RANGE] * 3, [-RANGE * mean for mean in MEAN], name=name, **options)


def _colors_back(name, **options):
    """The inverse of `_colors`."""
    return rescaling([1 / RANGE] * 3, MEAN, name=name, **options)


FAMILIES = (
    Family(
        builder=_edsr,
        options=EDSROptions,
        variants=VARIANTS,
        input_shape=INPUT_SHAPE,
        num_classes=None,
        task="upscaling",
    ),
)
