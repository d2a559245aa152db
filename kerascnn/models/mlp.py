"""The multilayer perceptron, for comparison with convolutional networks."""

from dataclasses import dataclass

from kerascnn.models.classifier import ClassifierOptions, classifier
from kerascnn.models.family import Family
from kerascnn.models.heads import dense_head

INPUT_SHAPE = (28, 28, 1)


@dataclass(frozen=True)
class MLPConfig:
    """Configuration of a multilayer perceptron, which has no feature maps.

    Args:
        units: number of units of each hidden layer.

    Reference:
        [Rumelhart et al., 1986](https://www.nature.com/articles/323533a0); dropout: [Srivastava et
        al., 2014](https://jmlr.org/papers/v15/srivastava14a.html)

    Example:
        >>> import kerascnn
        >>> config = kerascnn.models.rows.MLPConfig(units=(512, 512))
        >>> kerascnn.models.create_model(config, (28, 28, 1), num_classes=10).count_params()
        669706
    """

    units: tuple[int, ...]


VARIANTS = {
    # Keras's example for MNIST, https://github.com/keras-team/keras/blob/2.3.1/examples/mnist_mlp.py
    "mlp": MLPConfig(units=(512, 512)),
}


@dataclass(frozen=True)
class MLPOptions(ClassifierOptions):
    """Options of a multilayer perceptron, in addition to `ClassifierOptions`.

    Args:
        dropout: float, dropout rate after each hidden layer.
    """

    dropout: float = 0.2


def _trunk(x, config, options):
    return {}


FAMILIES = (
    Family(
        builder=classifier(_trunk, dense_head),
        options=MLPOptions,
        variants=VARIANTS,
        input_shape=INPUT_SHAPE,
        num_classes=10,
    ),
)
