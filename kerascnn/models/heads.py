"""Heads of classifiers: from the last feature maps to the input of the logits."""

from keras import layers

from kerascnn.layers.dropout import Dropout
from kerascnn.models.inputs import known_size


def global_average(x, config, options):
    """Returns the mean of every feature map, the head of models since NIN."""
    return layers.GlobalAveragePooling2D(name="head_pool")(x)


def dropped_average(x, config, options):
    """Returns the mean of every feature map, followed by dropout."""
    return Dropout(options.dropout, name="head_dropout")(global_average(x, config, options))


def dense_head(x, config, options):
    """Applies fully connected layers of `config.units` with dropout, the head before NIN."""
    known_size(x)
    x = layers.Flatten(name="head_flatten")(x)
    for i, units in enumerate(config.units, start=1):
        x = layers.Dense(
            units, activation="relu", kernel_initializer="he_normal", name=f"head_dense{i}"
        )(x)
        x = Dropout(options.dropout, name=f"head_dropout{i}")(x)
    return x
