"""What several packages of tests share."""

import os
from pathlib import Path

import keras
import pytest

from tests import fresh_process


@pytest.fixture(autouse=True, scope="session")
def forked_exports():
    """Runs exports in forks of a process that has imported TensorFlow; yields what users run."""
    if keras.backend.backend() != "tensorflow":
        yield
        return
    from kerascnn.export.fresh_process import run_program

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kerascnn.export.fresh_process.run_program", fresh_process.run)
        yield run_program


@pytest.fixture(scope="session")
def real_data():
    """The folder of real data beside the checkout: MNIST, CIFAR-10 and CamVid."""
    named = os.environ.get("KERASCNN_TEST_DATA")
    folder = Path(named or Path(__file__).resolve().parents[2] / "shared" / "data")
    if named and not folder.is_dir():
        pytest.fail(f"KERASCNN_TEST_DATA names the folder {folder}, which does not exist")
    if not folder.is_dir():
        pytest.skip("no real data in ../shared/data; KERASCNN_TEST_DATA can name another folder")
    return folder
