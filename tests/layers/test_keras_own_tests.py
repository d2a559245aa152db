"""Keras's own tests of its layers, as installed with Keras, with ours in their place.

Nothing is left out: every test of these files runs, those of other layers in them too.
"""

import re
from pathlib import Path

import keras
import pytest

from tests import fresh_process
from tests.layers import keras_swap

ROOT = Path(__file__).resolve().parents[2]
LAYERS = Path(keras.__file__).parent / "src" / "layers"


# On TensorFlow our layers have kernels of their own. On JAX and PyTorch they call `keras.ops`; the
# other tests of each layer compare them with loops and with Keras's layers on every change.
if keras.backend.backend() != "tensorflow":
    pytestmark = pytest.mark.nightly


# With the numbers of tests that there are at least: in some later release of Keras the files could
# be empty, which would be no proof. By day, our own tests compare convolutions with Keras's.
@pytest.mark.parametrize(
    "files",
    [
        {
            "convolutional/depthwise_conv_test.py": 10,
            "convolutional/separable_conv_test.py": 10,
            "normalization/batch_normalization_test.py": 30,
            "regularization/dropout_test.py": 14,
        },
        pytest.param(
            {"convolutional/conv_test.py": 30, "convolutional/conv_transpose_test.py": 20},
            marks=pytest.mark.nightly,
        ),
    ],
    ids=["depthwise, normalization and dropout", "convolution and transposed convolution"],
)
def test_keras_own_tests_pass(files, monkeypatch):
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)  # options that Keras's tests do not know
    monkeypatch.chdir(ROOT)
    options = ["-p", "tests.layers.keras_swap", "-v", "-c", "/dev/null", "-p", "no:cacheprovider"]
    program = "import sys, pytest; sys.exit(pytest.main(sys.argv[1:]))"
    result = fresh_process.run(program, *options, *(LAYERS / file for file in files))
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-2000:]
    assert "kerascnn's layers are in place" in result.stdout
    for file, at_least in files.items():
        passed = re.findall(rf"{re.escape(Path(file).name)}::\S+ PASSED", result.stdout)
        assert len(passed) >= at_least, file


def test_elsewhere_keras_has_its_own_layers():
    """The plugin must not have run in this process, or tests would compare our layers with ours."""
    for name in keras_swap.SWAPS:
        assert getattr(keras.layers, name).__module__.startswith("keras.")
