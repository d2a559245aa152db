import os
import time

import pytest

from kerascnn.export.exporting import TEMPORARY
from kerascnn.runs.export_folder import LeftoverWarning, check_export
from kerascnn.storage.atomic_write import temporary_next_to


def left_by_a_kill(folder, hours):
    """The temporary folder of an export that was killed some hours ago."""
    with temporary_next_to(folder / "model.onnx", TEMPORARY) as temporary:
        left = temporary.parent
    left.mkdir()
    (left / temporary.name).write_text("half of a model")
    os.utime(left, times=(time.time() - 3600 * hours,) * 2)
    return left


def test_what_a_killed_export_left_is_named_and_removed(tmp_path):
    left, running = left_by_a_kill(tmp_path, 2), left_by_a_kill(tmp_path, 0)
    with pytest.warns(LeftoverWarning, match=f"{left} was left by a killed export"):
        check_export(tmp_path)
    assert list(tmp_path.iterdir()) == [running]


def test_folders_of_others_stay(tmp_path):
    old = time.time() - 1e6
    others = [tmp_path / ".writing-style", tmp_path / "below" / f".writing-{TEMPORARY}abc"]
    for other in others:
        other.mkdir(parents=True)
        os.utime(other, times=(old, old))
    check_export(tmp_path)
    assert all(other.is_dir() for other in others)
