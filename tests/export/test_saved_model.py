import os

import keras
import pytest

from kerascnn.export import export, saved_model
from kerascnn.export.saved_model import move_to_next_version


def written(folder):
    model = folder / ".writing-abc" / "model"
    model.mkdir(parents=True)
    (model / "saved_model.pb").write_text("new")
    return model


def test_the_next_version_replaces_nothing(tmp_path):
    assert move_to_next_version(written(tmp_path), tmp_path) == tmp_path / "1"
    for name in ("4", "²", "old"):  # the second is a digit, but not a number
        (tmp_path / name).mkdir()
    (tmp_path / "7").write_text("a file of the user")
    (tmp_path / ".writing-abc").rmdir()
    assert move_to_next_version(written(tmp_path), tmp_path) == tmp_path / "8"
    assert (tmp_path / "8" / "saved_model.pb").read_text() == "new"
    assert (tmp_path / "7").read_text() == "a file of the user"


def test_two_exports_at_once_get_two_versions(tmp_path, monkeypatch):
    """Another process takes the number between looking and moving."""
    rename, taken = os.rename, []

    def late(source, target):
        if not taken:
            taken.append(target)
            target.mkdir()
            (target / "saved_model.pb").write_text("of the other process")
        rename(source, target)

    monkeypatch.setattr(saved_model.os, "rename", late)
    assert move_to_next_version(written(tmp_path), tmp_path) == tmp_path / "2"
    assert (tmp_path / "1" / "saved_model.pb").read_text() == "of the other process"


def test_a_name_that_is_not_utf8_is_refused(tmp_path):
    with pytest.raises(ValueError, match="must be UTF-8"):
        export(
            keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]), tmp_path / "export\udcff"
        )
    assert list(tmp_path.iterdir()) == []
