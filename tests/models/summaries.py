"""Models to sum up, and rows of their summaries."""

import keras
from keras import layers

from kerascnn import summary


def sequential(*parts, input_shape=(32, 32, 3)):
    return keras.Sequential([keras.Input(input_shape), *parts])


def rows_by_name(model, input_shape=None):
    return {row.name: row for row in summary(model, input_shape).rows}


def last(*parts, input_shape=(32, 32, 3)):
    return summary(sequential(*parts, input_shape=input_shape)).rows[-1]


def branched(size=32):
    inputs = keras.Input((size, size, 3), name="images")
    x = layers.Conv2D(4, 3, padding="same", name="stem")(inputs)
    long = layers.Conv2D(4, 3, padding="same", name="conv1")(x)
    long = layers.Conv2D(4, 3, padding="same", name="conv2")(long)
    x = layers.Add(name="add")([x, long])
    wide = layers.Conv2D(4, 1, strides=2, name="shortcut")(x)
    deep = layers.MaxPooling2D(name="pool")(x)
    x = layers.Concatenate(name="join")([wide, deep])
    return keras.Model(inputs, x)
