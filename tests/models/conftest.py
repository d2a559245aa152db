"""What several tests of models share."""

import keras
import pytest


@pytest.fixture(autouse=True)
def freed_memory():
    """The graphs of some hundred networks do not fit into memory together."""
    yield
    keras.backend.clear_session()


@pytest.fixture
def weights_of_zeros(monkeypatch):
    """Kernels are not drawn at random, which for 100 million numbers takes seconds."""

    def zeros(self, shape, dtype=None, **kwargs):
        return keras.ops.zeros(shape, dtype)

    for initializer in (keras.initializers.VarianceScaling, keras.initializers.RandomUniform):
        monkeypatch.setattr(initializer, "__call__", zeros)
