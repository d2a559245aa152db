"""Keras's own tests of its layers, as installed with Keras, with ours in their place.

Nothing is left out: every test of these files runs, those of other layers in them too.
"""

import re
import subprocess
import sys
from pathlib import Path

import keras
import pytest

from tests.layers import keras_swap

ROOT = Path(__file__).resolve().parents[2]
LAYERS = Path(keras.__file__).parent / "src" / "layers"


@pytest.mark.parametrize(
    ("file", "at_least"),
    [
        ("regularization/dropout_test.py", 14),
        ("normalization/batch_normalization_test.py", 30),
        ("convolutional/conv_test.py", 30),
        ("convolutional/conv_transpose_test.py", 20),
        ("convolutional/depthwise_conv_test.py", 10),
        ("convolutional/separable_conv_test.py", 10),
    ],
)
def test_keras_own_tests_pass(file, at_least):
    command = [sys.executable, "-m", "pytest", "-p", "tests.layers.keras_swap", "-q"]
    command += ["-c", "/dev/null", "-p", "no:cacheprovider", str(LAYERS / file)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-2000:]
    assert "kerascnn's layers are in place" in result.stdout
    # Keras's files could be empty in some later release; that would be no proof.
    assert int(re.search(r"(\d+) passed", result.stdout)[1]) >= at_least


def test_elsewhere_keras_has_its_own_layers():
    """The plugin must not have run in this process, or tests would compare our layers with ours."""
    for name in keras_swap.SWAPS:
        assert getattr(keras.layers, name).__module__.startswith("keras.")
