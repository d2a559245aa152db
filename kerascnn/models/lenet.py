"""LeNet: the first convolutional networks in practical use, for handwritten digits."""

import math
from dataclasses import dataclass

import keras
import numpy as np
from keras import layers as keras_layers
from keras import ops as kops

from kerascnn import layers, ops
from kerascnn.arguments import UsageError
from kerascnn.models.classifier import ClassifierOptions, classifier
from kerascnn.models.family import Family
from kerascnn.models.inputs import known_size
from kerascnn.models.lengths import entries
from kerascnn.models.outputs import answer_dtype

INPUT_SHAPE = (28, 28, 1)


@dataclass(frozen=True)
class LeNetConfig:
    """Configuration of a LeNet in its modern form.

    The paper pads its 28x28 digits to 32x32 pixels. Images smaller than 32 pixels on a side are
    padded by two zeros on every side, so 28x28 and 32x32 pixels give the same model. Images must
    have at least 12x12 pixels.

    Args:
        filters: filters of the two 5x5 convolutions, each followed by pooling.
        units: units of the fully connected layers before the logits.

    Reference:
        [LeCun et al., 1998](http://yann.lecun.com/exdb/publis/pdf/lecun-01a.pdf)

    Example:
        >>> import kerascnn
        >>> config = kerascnn.models.rows.LeNetConfig(filters=(6, 16), units=(120, 84))
        >>> kerascnn.models.create_model(config).count_params()
        61706
    """

    filters: tuple[int, int]
    units: tuple[int, ...]

    def __post_init__(self):
        entries(self, 2, "filters")


VARIANTS = {
    # LeCun et al., 1998, section II.B, in modern form: ReLU instead of scaled tanh, max pooling
    # instead of trainable subsampling, all feature maps connected, logits instead of RBF.
    "lenet5": LeNetConfig(filters=(6, 16), units=(120, 84)),
}


@dataclass(frozen=True)
class OriginalLeNetConfig:
    """Configuration of a LeNet as published: trainable subsampling, few connections, tanh.

    In `lenet5_1998`, the logits are negative distances to prototypes that are not trained: images
    of the ten digits, 7 pixels wide and 12 pixels high, or, with another number of classes, vectors
    of random signs. In `lenet1`, the logits are sums, without the paper's scaled tanh. As in the
    papers, kernels are initialized between -2.4 and 2.4 over the number of inputs of a unit;
    subsampling is initialized to averaging, and biases to zeros. Images must have at least 16x16
    pixels, or 12x12 pixels if small images are padded.

    Args:
        filters: int, filters of the first 5x5 convolution.
        table: for each filter of the second convolution, the indices of the maps that it sees.
        units: units of the fully connected layers before the outputs.
        pixels: the values that pixel values 0 and 1 are scaled to.
        framed: bool, whether images with a side below 32 are padded by two pixels.
        prototypes: bool, whether the outputs are negative distances to prototypes of the classes
            instead of weighted sums.

    Reference:
        [LeCun et al., 1990](https://papers.nips.cc/paper/293); [LeCun et al.,
        1998](http://yann.lecun.com/exdb/publis/pdf/lecun-01a.pdf)

    Example:
        >>> import kerascnn
        >>> config = kerascnn.models.rows.OriginalLeNetConfig(filters=2, table=((0,), (0, 1)))
        >>> model = kerascnn.models.create_model(config)
        >>> {layer.name: layer.count_params() for layer in model.layers if layer.weights}
        {'stage1_conv': 52, 'stage1_pool': 4, 'stage2_conv': 77, 'stage2_pool': 4, 'logits': 330}
    """

    filters: int
    table: tuple[tuple[int, ...], ...]
    units: tuple[int, ...] = ()
    pixels: tuple[float, float] = (-1.0, 1.0)
    framed: bool = False
    prototypes: bool = False

    def __post_init__(self):
        entries(self, 2, "pixels")


def _table(*rows):
    """Parses a connection table: a row for each input map, a column for each filter."""
    return tuple(
        tuple(channel for channel, mark in enumerate(column) if mark == "o")
        for column in zip(*rows, strict=True)
    )


ORIGINAL_VARIANTS = {
    # LeCun et al., 1990, table 1
    "lenet1": OriginalLeNetConfig(
        filters=4,
        table=_table(
            "ooo.oo......",
            ".ooooo......",
            "......ooo.oo",
            ".......ooooo",
        ),
    ),
    # LeCun et al., 1998, section II.B and table I
    "lenet5_1998": OriginalLeNetConfig(
        filters=6,
        table=_table(
            "o...ooo..oooo.oo",
            "oo...ooo..oooo.o",
            "ooo...ooo..o.ooo",
            ".ooo..oooo..o.oo",
            "..ooo..oooo.oo.o",
            "...ooo..oooo.ooo",
        ),
        units=(120, 84),
        pixels=(-0.1, 1.175),
        framed=True,
        prototypes=True,
    ),
}


def _smallest(config):
    return 12


def _trunk(x, config, options):
    features = {}
    paddings = ("same" if min(known_size(x)) < 32 else "valid", "valid")
    for stage, (filters, padding) in enumerate(zip(config.filters, paddings, strict=True), 1):
        x = features[2 ** (stage - 1)] = layers.GroupConv2D(
            filters, 5, padding=padding, activation="relu", name=f"stage{stage}_conv"
        )(x)
        x = keras_layers.MaxPooling2D(2, name=f"stage{stage}_pool")(x)
    return {**features, 4: x}


def _head(x, config, options):
    x = keras_layers.Flatten(name="flatten")(x)
    for i, units in enumerate(config.units, start=1):
        x = keras_layers.Dense(units, activation="relu", name=f"head_dense{i}")(x)
    return x


def _original_smallest(config):
    return 12 if config.framed else 16


def _original_trunk(x, config, options):
    if min(known_size(x)) < 32 and config.framed:
        x = keras_layers.ZeroPadding2D(2, name="frame")(x)
    zero, one = config.pixels
    x = keras_layers.Rescaling(one - zero, offset=zero, name="pixels")(x)
    common = {"kernel_size": 5, "activation": ops.scaled_tanh}
    first = layers.GroupConv2D(
        config.filters, kernel_initializer=FanInUniform(), name="stage1_conv", **common
    )(x)
    x = layers.Subsampling2D(2, activation=ops.scaled_tanh, name="stage1_pool")(first)
    second = layers.ConnectionTableConv2D(
        config.table,
        kernel_initializer=FanInUniform([25 * len(row) for row in config.table]),
        name="stage2_conv",
        **common,
    )(x)
    x = layers.Subsampling2D(2, activation=ops.scaled_tanh, name="stage2_pool")(second)
    return {1: first, 2: second, 4: x}


def _original_head(x, config, options):
    x = keras_layers.Flatten(name="head_flatten")(x)
    for i, units in enumerate(config.units, start=1):
        x = keras_layers.Dense(
            units,
            activation=ops.scaled_tanh,
            kernel_initializer=FanInUniform(),  # pyright: ignore[reportArgumentType]
            name=f"head_dense{i}",
        )(x)
    return x


def _original_logits(x, num_classes, config):
    dtype = answer_dtype()
    if not config.prototypes:
        return keras_layers.Dense(
            num_classes,
            kernel_initializer=FanInUniform(),  # pyright: ignore[reportArgumentType]
            dtype=dtype,
            name="logits",
        )(x)
    drawn = (num_classes, x.shape[-1]) == (10, 84)
    x = layers.RBFOutput(
        num_classes, DigitPictures() if drawn else None, dtype=dtype, name="distances"
    )(x)
    return keras_layers.Rescaling(-1.0, dtype=dtype, name="logits")(x)


@keras.saving.register_keras_serializable(package="kerascnn")
class FanInUniform(keras.initializers.Initializer):
    """Draws uniformly from `[-scale, scale]`, divided by the number of inputs of a unit.

    Args:
        fan_in: the number of inputs of each filter; by default from the shape.
        scale: float.
        seed: optional int.

    Reference:
        [LeCun et al., 1998](http://yann.lecun.com/exdb/publis/pdf/lecun-01a.pdf), appendix A
    """

    def __init__(self, fan_in=None, scale=2.4, seed=None):
        self.fan_in = fan_in
        self.scale = scale
        self.seed = seed

    def __call__(self, shape, dtype=None):
        fan_in = math.prod(shape[:-1]) if self.fan_in is None else np.asarray(self.fan_in)
        drawn = keras.initializers.RandomUniform(-1.0, 1.0, seed=self.seed)(shape, dtype=dtype)
        return drawn * kops.cast(self.scale / fan_in, drawn.dtype)

    def get_config(self):
        return {"fan_in": self.fan_in, "scale": self.scale, "seed": self.seed}


# Prototypes as in figure 3 of the 1998 paper: printed characters
_DIGITS = """
..###..  ...##..  .#####.  #######  ....##.
.#####.  ..###..  #######  #######  ...###.
##...##  .####..  ##...##  ....##.  ..####.
##...##  ...##..  .....##  ...##..  ..#.##.
##...##  ...##..  .....##  ..####.  .##.##.
##...##  ...##..  ....##.  ..#####  .#..##.
##...##  ...##..  ...##..  .....##  ##..##.
##...##  ...##..  ..##...  .....##  #######
##...##  ...##..  .##....  .....##  #######
##...##  ...##..  ##.....  ##...##  ....##.
.#####.  .######  #######  #######  ....##.
..###..  .######  #######  .#####.  ....##.

#######  ..####.  #######  .#####.  .#####.
#######  .#####.  #######  #######  #######
##.....  ##.....  .....##  ##...##  ##...##
##.....  ##.....  ....##.  ##...##  ##...##
######.  ######.  ....##.  .#####.  ##...##
#######  #######  ...##..  .#####.  #######
.....##  ##...##  ...##..  ##...##  .######
.....##  ##...##  ..##...  ##...##  .....##
.....##  ##...##  ..##...  ##...##  .....##
##...##  ##...##  .##....  ##...##  .....##
#######  #######  .##....  #######  .#####.
.#####.  .#####.  .##....  .#####.  .####..
"""


@keras.saving.register_keras_serializable(package="kerascnn")
class DigitPictures(keras.initializers.Initializer):
    """Images of the digits, 7 pixels wide and 12 high, as vectors: 1 for ink and -1 for paper."""

    def __call__(self, shape, dtype=None):
        if tuple(shape) != (10, 84):
            raise UsageError(f"`shape` must be (10, 84), for ten digits; got {tuple(shape)}.")
        blocks = [block.splitlines() for block in _DIGITS.strip().split("\n\n")]
        rows = np.array([[row.split() for row in block] for block in blocks])
        pictures = ["".join(rows[block, :, i]) for block in (0, 1) for i in range(5)]
        signs = [[1 if mark == "#" else -1 for mark in picture] for picture in pictures]
        return kops.convert_to_tensor(signs, dtype=dtype)

    def get_config(self):
        return {}


FAMILIES = (
    Family(
        builder=classifier(_trunk, _head, smallest=_smallest),
        options=ClassifierOptions,
        variants=VARIANTS,
        input_shape=INPUT_SHAPE,
        num_classes=10,
    ),
    Family(
        builder=classifier(
            _original_trunk, _original_head, _original_logits, smallest=_original_smallest
        ),
        options=ClassifierOptions,
        variants=ORIGINAL_VARIANTS,
        input_shape=INPUT_SHAPE,
        num_classes=10,
    ),
)
