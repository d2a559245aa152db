"""Heads of classifiers: from the last feature maps to what the logits are computed from."""

from keras import layers

from kerascnn.layers.dropout import Dropout
from kerascnn.models.ends import known_size


def global_average(x, config, options):
    """The head of networks from NIN on: the mean of every feature map."""
    return layers.GlobalAveragePooling2D(name="head_pool")(x)


def dropped_average(x, config, options):
    """The global average with dropout, at the rate `options.dropout`, after it."""
    return Dropout(options.dropout, name="head_dropout")(global_average(x, config, options))


def dense_head(x, config, options):
    """The head of networks before NIN: fully connected layers of `config.units` with dropout."""
    known_size(x)
    x = layers.Flatten(name="head_flatten")(x)
    for i, units in enumerate(config.units, start=1):
        x = layers.Dense(
            units, activation="relu", kernel_initializer="he_normal", name=f"head_dense{i}"
        )(x)
        x = Dropout(options.dropout, name=f"head_dropout{i}")(x)
    return x
