"""Keras's own tests of its layers, as installed with Keras, with ours in their place.

Nothing is left out: every test of the three files runs, those of `Conv2D` without groups too.
"""

import re
import subprocess
import sys
from pathlib import Path

import keras
import pytest

ROOT = Path(__file__).resolve().parents[2]
LAYERS = Path(keras.__file__).parent / "src" / "layers"


@pytest.mark.parametrize(
    ("file", "at_least"),
    [
        ("regularization/dropout_test.py", 14),
        ("normalization/batch_normalization_test.py", 30),
        ("convolutional/conv_test.py", 30),
    ],
)
def test_keras_own_tests_pass(file, at_least):
    command = [sys.executable, "-m", "pytest", "-p", "tests.layers.keras_swap", "-q"]
    command += ["-c", "/dev/null", "-p", "no:cacheprovider", str(LAYERS / file)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-2000:]
    # Keras's files could be empty in some later release; that would be no proof.
    assert int(re.search(r"(\d+) passed", result.stdout)[1]) >= at_least
