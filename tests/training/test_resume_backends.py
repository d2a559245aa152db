"""The tests of resuming on the other backends, which Keras reads when it is loaded."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
TESTS = [str(FOLDER / name) for name in ("test_resume.py", "test_resume_callback.py")]
CHOSEN = "dropout_and or dropout and augmentation or moving or backup_and_restore or signal"


@pytest.mark.nightly
@pytest.mark.parametrize(
    "backend",
    [pytest.param(name, marks=pytest.mark.extra(name)) for name in ("jax", "torch")],
)
def test_a_stopped_training_ends_in_the_same_bits_on(backend):
    options = ["-q", "-n", "0", "-p", "no:cacheprovider", "-k", CHOSEN]
    result = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *TESTS],
        cwd=FOLDER.parents[1],
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-4000:]
    assert " passed" in result.stdout
