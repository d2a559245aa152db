"""Fukushima's Neocognitron: the first network with alternating feature and pooling layers."""

from dataclasses import dataclass

import keras
from keras import layers as keras_layers

from kerascnn import layers
from kerascnn.initializers import OrientedEdges
from kerascnn.models.classifier import ClassifierOptions, classifier
from kerascnn.models.family import Family
from kerascnn.models.inputs import channel_axis, known_size
from kerascnn.models.lengths import entries
from kerascnn.models.outputs import answer_dtype


@dataclass(frozen=True)
class NeocognitronConfig:
    """Configuration of a Neocognitron in its form of 2003 to 2013.

    The model has contrast extraction, edge detectors, one learned stage of S-cells and C-cells, and
    labelled vectors. More stages, or more blur, make it worse on small images.

    Args:
        border: int, zero padding around the images.
        orientations: int, number of planes of edge detectors.
        edge_threshold: float, the threshold of the edge detectors.
        threshold: float, the threshold of the learned cells in recognition.
        power: float, the power by which responses grow with the strength of the input.
        sigma: float, the width of the C-cells in pixels of their input.
        strides: the distance between the C-cells of each stage.

    Reference:
        [Fukushima, 2003](https://doi.org/10.1016/S0925-2312(02)00614-8); [Fukushima,
        2013](https://doi.org/10.1016/j.neunet.2013.01.001)

    Example:
        >>> import kerascnn
        >>> config = kerascnn.models.rows.NeocognitronConfig(orientations=8)
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

    def __post_init__(self):
        entries(self, 2, "strides")


VARIANTS = {"neocognitron": NeocognitronConfig()}


@dataclass(frozen=True)
class ShuntingNeocognitronConfig:
    """Configuration of a Neocognitron in its form of 1980.

    Its layers U0 to UC3 process 16x16 pixels; other images are resized. The paper has no labels:
    here labelled vectors classify the outputs of the last cells.

    Args:
        planes: int, number of planes in every layer.
        selectivity: the selectivity of the S-cells of each stage.
        s_cells: the number of S-cells of each stage along an axis.
        c_cells: the number of C-cells of each stage along an axis.
        spacing: the distance between the C-cells of each stage, in S-cells.
        s_spacing: the distance between the S-cells, in C-cells of the stage before.
        decay: float in (0, 1], the weight of the S-cells' inhibition at a distance of one cell.

    Reference:
        [Fukushima, 1980](https://doi.org/10.1007/BF00344251), section 4.1

    Example:
        >>> import kerascnn
        >>> config = kerascnn.models.rows.ShuntingNeocognitronConfig(planes=12)
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

    def __post_init__(self):
        entries(self, 3, "selectivity", "s_cells", "c_cells", "spacing", "s_spacing")


SHUNTING_VARIANTS = {"neocognitron_1980": ShuntingNeocognitronConfig()}
_SIDE = 16


@dataclass(frozen=True)
class NeocognitronOptions(ClassifierOptions):
    """Options of a Neocognitron, in addition to `ClassifierOptions`.

    The first three options set the size of the untrained model, because
    `kerascnn.training.self_organize` returns a model with the cells and vectors that were created.
    The others determine how it learns, and are the same as in `kerascnn.training.SelfOrganization`.

    Args:
        cells: int, number of learned planes of S-cells.
        vectors: int, number of labelled vectors of each class.
        neighbors: int, number of vectors of a class to mix; 1 for no mixing.
        rule: `"add_if_silent"`, `"winner_take_all"` or `"winner_kill_loser"`.
        learning_threshold: float in [0, 1), the cosine below which a cell is silent during
            learning.
        activity: float in [0, 1), the smallest strength of an input, relative to the strongest one.
        stage_images: int, number of images that a stage of cells learns from.
        max_cells: int, largest number of cells in a stage.
        top_rule: `"misread"` or `"winner_take_all"`, the rule for labelled vectors.
        margin: float of at least 0, the margin by which the correct class must win.
        max_vectors: int, largest number of labelled vectors.
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
    """Options of a Neocognitron of 1980: as `NeocognitronOptions`, but `cells` is not used.

    Args:
        margin: float of at least 0; by default an image becomes a vector if it is misclassified.
    """

    margin: float = 0.0


def _gray(x):
    """Returns the mean of the channels, because cells only see brightness."""
    axis = channel_axis()
    return x if x.shape[axis] == 1 else keras.ops.mean(x, axis, keepdims=True)


def _trunk(x, config, options):
    x = _gray(x)
    # A single padding, because OpenVINO ignores a padding that is followed by "same".
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
    """Returns the builder of a family whose head needs the options."""

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
