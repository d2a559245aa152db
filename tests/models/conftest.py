"""What several tests of models share."""

import itertools

import keras
import pytest

_COUNT = itertools.count(1)
# Looking for what is no longer used takes a second.
_TESTS_AT_A_TIME = 8


@pytest.fixture(autouse=True)
def freed_memory():
    """The graphs of some hundred networks do not fit into memory together."""
    yield
    if next(_COUNT) % _TESTS_AT_A_TIME == 0:
        keras.backend.clear_session()


@pytest.fixture
def without_weights():
    """Weights have shapes but no values: to draw 100 million of them takes seconds."""
    with keras.StatelessScope(initialize_variables=False):
        yield
    keras.backend.clear_session()  # or they would be drawn later
