"""A pytest plugin that puts kerascnn's layers in the place of Keras's before tests are read.

python -m pytest -p tests.layers.keras_swap SITE_PACKAGES/keras/src/layers/.../dropout_test.py
"""

import keras
import pytest
from keras.src import layers

import kerascnn

SWAPS = {
    "BatchNormalization": kerascnn.layers.BatchNormalization,
    "Conv2D": kerascnn.layers.GroupConv2D,
    "Conv2DTranspose": kerascnn.layers.Conv2DTranspose,
    "DepthwiseConv2D": kerascnn.layers.DepthwiseConv2D,
    "Dropout": kerascnn.layers.Dropout,
    "SeparableConv2D": kerascnn.layers.SeparableConv2D,
}


def pytest_configure(config):
    # Not on import: pytest imports every file here in search of doctests.
    for name, ours in SWAPS.items():
        setattr(layers, name, ours)
        setattr(keras.layers, name, ours)
    config.addinivalue_line("markers", "requires_trainable_backend: Keras's own marker")


def pytest_collection_modifyitems(items):
    """Keras's tests say `layers.Dropout`: what that is in each of their modules."""
    for module in {item.module for item in items}:
        for name, ours in SWAPS.items():
            assert getattr(module.layers, name) is ours
    print("kerascnn's layers are in place")


@pytest.fixture(autouse=True)
def seeded():
    """Keras's tests draw unseeded numbers, with which its own layers miss a tolerance at times."""
    keras.utils.set_random_seed(0)
