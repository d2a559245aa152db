"""Settings for every test."""

import gc
import os
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# As the command does; CI runs the layers without oneDNN as well.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def pytest_collection_finish():
    """What the imports made stays for good: the collector need not look at it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def real_data():
    """The folder of real data beside the checkout: MNIST, CIFAR-10 and CamVid."""
    root = Path(__file__).resolve().parent.parent
    folder = Path(os.environ.get("KERASCNN_TEST_DATA", root.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}; KERASCNN_TEST_DATA names the folder")
    return folder
