"""LeNet: the network that read the digits of the United States' mail."""

from dataclasses import dataclass

import keras
from keras import layers

from kerascnn.models.family import Family
from kerascnn.ops.shapes import image_shape

INPUT_SHAPE = (28, 28, 1)


@dataclass(frozen=True)
class LeNetConfig:
    """One row of the table of variants.

    Args:
        filters: filters of the two 5x5 convolutions, each followed by pooling.
        units: units of the fully connected layers before the logits.
    """

    filters: tuple[int, int]
    units: tuple[int, ...]


VARIANTS = {
    # LeCun et al., 1998, section II.B, in today's form: ReLU instead of the scaled tanh, max
    # pooling instead of trainable subsampling, all feature maps connected, logits instead of RBF.
    "lenet5": LeNetConfig(filters=(6, 16), units=(120, 84)),
}


def lenet(config, input_shape=INPUT_SHAPE, num_classes=10, name="lenet"):
    """Builds a LeNet that answers with logits.

    The paper sets its 28x28 digits into a field of 32x32 pixels; inputs with a side below 32 are
    zero-padded by two pixels on every side likewise, so 28x28 and 32x32 give the same network.

    Args:
        config: `LeNetConfig`.
        input_shape: `(height, width, channels)` in Keras's image data format; sides of 12 at least.
        num_classes: int, the number of logits.
        name: str, the model's name.

    Returns:
        `keras.Model` from images of shape `(batch, *input_shape)` with values from 0 to 1 to
        logits of shape `(batch, num_classes)`.

    Raises:
        ValueError: if the images are too small or their size is not known.

    Reference:
        [LeCun et al., 1998](http://yann.lecun.com/exdb/publis/pdf/lecun-01a.pdf)

    Example:
        >>> import kerascnn
        >>> config = kerascnn.models.LeNetConfig(filters=(6, 16), units=(120, 84))
        >>> kerascnn.models.lenet(config).count_params()
        61706
    """
    data_format = keras.config.image_data_format()
    _, height, width, _ = image_shape((None, *input_shape), data_format, "input_shape")
    if height is None or width is None or min(height, width) < 12:
        raise ValueError(
            "`input_shape` must have a height and width of at least 12 pixels; "
            f"got input_shape={tuple(input_shape)}."
        )
    inputs = keras.Input(input_shape, name="images")
    x = inputs
    for stage, filters in enumerate(config.filters, start=1):
        padding = "same" if stage == 1 and min(height, width) < 32 else "valid"
        x = layers.Conv2D(
            filters, 5, padding=padding, activation="relu", name=f"stage{stage}_conv"
        )(x)
        x = layers.MaxPooling2D(2, name=f"stage{stage}_pool")(x)
    x = layers.Flatten(name="flatten")(x)
    for i, units in enumerate(config.units, start=1):
        x = layers.Dense(units, activation="relu", name=f"head_dense{i}")(x)
    return keras.Model(inputs, layers.Dense(num_classes, name="logits")(x), name=name)


FAMILY = Family(builder=lenet, variants=VARIANTS, input_shape=INPUT_SHAPE)
