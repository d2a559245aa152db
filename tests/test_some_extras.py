"""An installation with one extra needs no other; CI does the same where no extra is installed."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("some_extras.py")
EXTRAS = [
    # By day, CI runs these where nothing else is installed.
    pytest.param([], id="none", marks=pytest.mark.nightly),
    pytest.param(["apps"], id="apps", marks=pytest.mark.nightly),
    pytest.param(["apps", "serve"], id="serve", marks=pytest.mark.extra("serve")),
    *(
        pytest.param(
            ["apps", extra], id=extra, marks=[pytest.mark.extra(extra), pytest.mark.nightly]
        )
        for extra in ("docs", "export", "jax", "torch")
    ),
]


@pytest.mark.parametrize("extras", EXTRAS)
def test_imports_use_and_errors(extras):
    command = [sys.executable, SCRIPT, *extras, "--hide"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-2000:]


def test_only_the_marker_skips_for_an_extra():
    """A test that skips by itself would also do so in CI, where every extra is installed."""
    word = "importor" + "skip"
    tests = SCRIPT.parent.rglob("*.py")
    assert not [path for path in tests if word in path.read_text()]
