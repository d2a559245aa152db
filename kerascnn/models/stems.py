"""Stems of classifiers: the layers before the first stage."""

from keras import layers


def stem_pool(x):
    """Applies 3x3 max pooling with strides of 2 and zero padding, after a ReLU."""
    # Zeros do not affect the maximum, because the outputs of a ReLU are not negative.
    x = layers.ZeroPadding2D(1, name="stem_pad")(x)
    return layers.MaxPooling2D(3, strides=2, name="stem_pool")(x)
