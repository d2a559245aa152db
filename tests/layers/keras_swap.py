"""A pytest plugin that puts kerascnn's layers in the place of Keras's before tests are read.

python -m pytest -p tests.layers.keras_swap SITE_PACKAGES/keras/src/layers/.../dropout_test.py
"""

import keras
from keras.src import layers

import kerascnn

SWAPS = {
    "BatchNormalization": kerascnn.layers.BatchNormalization,
    "Conv2D": kerascnn.layers.GroupConv2D,
    "Dropout": kerascnn.layers.Dropout,
}

for name, ours in SWAPS.items():
    setattr(layers, name, ours)
    setattr(keras.layers, name, ours)


def pytest_configure(config):
    config.addinivalue_line("markers", "requires_trainable_backend: Keras's own marker")
