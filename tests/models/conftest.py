"""What several tests of models share."""

import itertools

import keras
import pytest

_COUNT = itertools.count(1)
# Looking for what is no longer used takes a second.
_TESTS_AT_A_TIME = 24


@pytest.fixture(autouse=True)
def seeded():
    """Draws the same weights in each run; rounding adds up in some more than in others."""
    keras.utils.set_random_seed(0)


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


@pytest.fixture
def keras_home(tmp_path, monkeypatch):
    """An empty cache of downloads, and no network."""
    import urllib.error

    from keras.src.utils import file_utils

    def refuse(*args, **kwargs):
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr(file_utils, "urlretrieve", refuse)
    monkeypatch.setattr(file_utils.config, "keras_home", lambda: str(tmp_path))
    (tmp_path / "models").mkdir()
    return tmp_path
