"""Runs that are killed with SIGKILL at random moments; `killing.py` says what a moment is."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.nightly import every_night
from tests.runs.killing import CASES

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("case", every_night(CASES, daily=["lenet5_augmented"]))
def test_a_killed_run_ends_as_one_that_never_was(case, tmp_path, request):
    kills = 10 if request.config.getoption("--nightly") else 1
    result = subprocess.run(
        [sys.executable, "-m", "tests.runs.killing", case, str(kills), str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, (result.stdout + result.stderr)[-4000:]
    assert f"{case}: {kills} of {kills}" in result.stdout
