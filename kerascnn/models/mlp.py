"""The multilayer perceptron: what convolutional networks are compared with."""

from dataclasses import dataclass

import keras

from kerascnn.models.ends import dense_head, image_input, logits_layer
from kerascnn.models.family import Family

INPUT_SHAPE = (28, 28, 1)


@dataclass(frozen=True)
class MLPConfig:
    """One row of the table of variants.

    Args:
        units: units of each hidden layer.
        dropout: float, the rate after each of them.
    """

    units: tuple[int, ...]
    dropout: float


VARIANTS = {
    # Keras's example for MNIST, https://github.com/keras-team/keras/blob/2.3.1/examples/mnist_mlp.py
    "mlp": MLPConfig(units=(512, 512), dropout=0.2),
}


def mlp(config, input_shape=INPUT_SHAPE, num_classes=10, name="mlp"):
    """Builds a multilayer perceptron that answers with logits.

    Args:
        config: `MLPConfig`.
        input_shape: `(height, width, channels)` in Keras's image data format.
        num_classes: int, the number of logits.
        name: str, the model's name.

    Returns:
        `keras.Model` from images of shape `(batch, *input_shape)` with values from 0 to 1 to
        logits of shape `(batch, num_classes)`.

    Raises:
        ValueError: if the size of the images is not known.

    Reference:
        [Rumelhart et al., 1986](https://www.nature.com/articles/323533a0); dropout: [Srivastava et
        al., 2014](https://jmlr.org/papers/v15/srivastava14a.html)

    Example:
        >>> import kerascnn
        >>> config = kerascnn.models.MLPConfig(units=(512, 512), dropout=0.2)
        >>> kerascnn.models.mlp(config).count_params()
        669706
    """
    inputs, x = image_input(input_shape, fixed=True)
    x = dense_head(config.units, config.dropout)(x)
    return keras.Model(inputs, logits_layer(num_classes)(x), name=name)


FAMILIES = (Family(builder=mlp, variants=VARIANTS, input_shape=INPUT_SHAPE, num_classes=10),)
