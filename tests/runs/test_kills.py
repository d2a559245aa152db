"""Runs that are killed with SIGKILL at random moments; `killing.py` says what a moment is."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.runs.killing import CASES

ROOT = Path(__file__).resolve().parents[2]


# By day, tests/apps/test_two_trainings.py kills a training and resumes it.
@pytest.mark.nightly
@pytest.mark.parametrize("case", CASES)
def test_a_killed_run_ends_as_one_that_never_was(case, tmp_path):
    kills = 10
    result = subprocess.run(
        [sys.executable, "-m", "tests.runs.killing", case, str(kills), str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, (result.stdout + result.stderr)[-4000:]
    assert f"{case}: {kills} of {kills}" in result.stdout
