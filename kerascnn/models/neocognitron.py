"""The Neocognitron: the first network of alternating feature and pooling layers (Fukushima)."""

from dataclasses import dataclass

import keras
from keras import layers as keras_layers

from kerascnn import layers
from kerascnn.initializers import OrientedEdges
from kerascnn.models.classifier import ClassifierOptions, classifier
from kerascnn.models.ends import answer_dtype, channel_axis, known_size
from kerascnn.models.family import Family


@dataclass(frozen=True)
class NeocognitronConfig:
    """One row of the table of Neocognitrons in their form of 2003 to 2013.

    Contrast, edges, one stage of S-cells and C-cells that is learned, and labelled vectors. More
    stages, or more blurred ones, make it worse on small images.

    Args:
        border: int, zeros around the images.
        orientations: int, planes of edge detectors.
        edge_threshold: float, the threshold of those.
        threshold: float, that of the learned cells when they recognize.
        power: float, how far answers grow with the strength of what is seen.
        sigma: float, the width of the C-cells in pixels of their input.
        strides: how far the C-cells of each stage are apart.

    Reference:
        [Fukushima, 2003](https://doi.org/10.1016/S0925-2312(02)00614-8); [Fukushima,
        2013](https://doi.org/10.1016/j.neunet.2013.01.001)

    Example:
        >>> import kerascnn
        >>> config = kerascnn.models.NeocognitronConfig(orientations=8)
        >>> kerascnn.models.create_model(config, (28, 28, 1), num_classes=3).output_shape
        (None, 3)
    """

    border: int = 2
    orientations: int = 16
    edge_threshold: float = 0.55
    threshold: float = 0.6
    power: float = 0.5
    sigma: float = 1.0
    strides: tuple[int, int] = (2, 3)


VARIANTS = {"neocognitron": NeocognitronConfig()}


@dataclass(frozen=True)
class ShuntingNeocognitronConfig:
    """One row of the table of Neocognitrons in their form of 1980.

    Its layers U0 to UC3 see 16x16 pixels, to which other images are resized. The paper has no
    labels: here labelled vectors read the last cells.

    Args:
        planes: int, of every layer.
        selectivity: that of the S-cells of each stage.
        s_cells: how many S-cells each stage has along an axis.
        c_cells: how many C-cells.
        spacing: how far the C-cells of each stage are apart, in S-cells.
        s_spacing: how far the S-cells are apart, in C-cells of the stage before.
        decay: float in (0, 1], the weight of the S-cells' inhibition at a distance of one cell.

    Reference:
        [Fukushima, 1980](https://doi.org/10.1007/BF00344251), section 4.1

    Example:
        >>> import kerascnn
        >>> config = kerascnn.models.ShuntingNeocognitronConfig(planes=12)
        >>> kerascnn.models.create_model(config, (16, 16, 1), num_classes=5).output_shape
        (None, 5)
    """

    planes: int = 24
    selectivity: tuple[float, float, float] = (4.0, 1.5, 1.5)
    s_cells: tuple[int, int, int] = (16, 8, 2)
    c_cells: tuple[int, int, int] = (10, 6, 1)
    spacing: tuple[float, float, float] = (5 / 3, 1.0, 1.0)
    s_spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)
    decay: float = 0.95


SHUNTING_VARIANTS = {"neocognitron_1980": ShuntingNeocognitronConfig()}
_SIDE = 16


@dataclass(frozen=True)
class NeocognitronOptions(ClassifierOptions):
    """What a Neocognitron takes besides `ClassifierOptions`.

    The first three say how large the model is before it learns: `kerascnn.training.self_organize`
    returns one with as many cells and vectors as were born. The others say how it learns and are
    those of `kerascnn.training.SelfOrganization`.

    Args:
        cells: int, learned planes of S-cells.
        vectors: int, labelled vectors of each class.
        neighbors: int, how many vectors of a class are mixed with each other; with 1, none.
        rule: `"add_if_silent"`, `"winner_take_all"` or `"winner_kill_loser"`.
        learning_threshold: float in [0, 1), at which a cell is silent while cells are born.
        activity: float in [0, 1), how strong an input must be next to the strongest.
        stage_images: int, how many images a stage of cells learns from.
        max_cells: int, how many cells a stage may have.
        top_rule: `"misread"` or `"winner_take_all"`, which vectors there are.
        margin: float of at least 0, by which the right class must win.
        max_vectors: int, how many labelled vectors there may be.
    """

    cells: int = 32
    vectors: int = 1
    neighbors: int = 10
    rule: str = "add_if_silent"
    learning_threshold: float = 0.75
    activity: float = 0.5
    stage_images: int = 500
    max_cells: int = 1000
    top_rule: str = "misread"
    margin: float = 0.1
    max_vectors: int = 20_000


@dataclass(frozen=True)
class ShuntingNeocognitronOptions(NeocognitronOptions):
    """What a Neocognitron of 1980 takes: as `NeocognitronOptions`, of which `cells` is not used.

    Args:
        margin: float of at least 0; by default an image becomes a vector if it is misread.
    """

    margin: float = 0.0


def _gray(x):
    """The mean of the channels: cells see brightness alone."""
    axis = channel_axis()
    return x if x.shape[axis] == 1 else keras.ops.mean(x, axis, keepdims=True)


def _trunk(x, config, options):
    x = _gray(x)
    # One padding: of two, OpenVINO leaves out the first where "same" follows.
    x = layers.ContrastExtraction2D(7, padding=config.border + 3, name="contrast")(x)
    x = layers.SCells2D(
        config.orientations,
        5,
        threshold=config.edge_threshold,
        power=config.power,
        sigma=1.2,
        kernel_initializer=OrientedEdges(),
        trainable=False,
        name="stage1_s_cells",
    )(x)
    first, second = config.strides
    edges = layers.CCells2D(config.sigma, first, name="stage1_c_cells")(x)
    x = layers.SCells2D(
        options.cells,
        3,
        threshold=config.threshold,
        power=config.power,
        name="stage2_s_cells",
    )(edges)
    x = layers.CCells2D(config.sigma, second, name="stage2_c_cells")(x)
    return {first: edges, first * second: x}


def _shunting_trunk(x, config, options):
    x = _gray(x)
    if known_size(x) != (_SIDE, _SIDE):
        x = keras_layers.Resizing(_SIDE, _SIDE, name="resize")(x)
    features = {}
    for i in range(3):
        x = layers.ShuntingSCells2D(
            config.planes,
            5,
            selectivity=config.selectivity[i],
            decay=config.decay,
            output_size=config.s_cells[i],
            spacing=config.s_spacing[i],
            name=f"stage{i + 1}_s_cells",
        )(x)
        x = layers.ShuntingCCells2D(
            min(5, config.s_cells[i]),
            output_size=config.c_cells[i],
            spacing=config.spacing[i],
            name=f"stage{i + 1}_c_cells",
        )(x)
        features[i + 1] = x
    return features


def _logits(x, num_classes, config, options):
    known_size(x)
    x = keras_layers.Flatten(name="head_flatten")(x)
    return layers.InterpolatingVectors(
        (options.vectors,) * num_classes,
        options.neighbors,
        dtype=answer_dtype(),
        name="logits",
    )(x)


def _as_it_is(x, config, options):
    return x


def _smallest(config):
    return 8


def _any(config):
    return 1


def _builder(trunk, smallest):
    """The builder of a family, whose head needs the options."""

    def build(config, input_shape, num_classes, options, name):
        return classifier(
            trunk,
            _as_it_is,
            lambda x, classes, config: _logits(x, classes, config, options),
            smallest=smallest,
        )(config, input_shape, num_classes, options, name)

    return build


FAMILIES = (
    Family(
        builder=_builder(_trunk, _smallest),
        options=NeocognitronOptions,
        variants=VARIANTS,
        input_shape=(28, 28, 1),
        num_classes=10,
    ),
    Family(
        builder=_builder(_shunting_trunk, _any),
        options=ShuntingNeocognitronOptions,
        variants=SHUNTING_VARIANTS,
        input_shape=(_SIDE, _SIDE, 1),
        num_classes=10,
    ),
)
