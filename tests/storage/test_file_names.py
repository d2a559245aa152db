import os

import pytest

from kerascnn.storage.file_names import file_name, shortened


@pytest.mark.parametrize("stem", ["a", "café", "a" * 251, "é" * 125, "猫" * 83, "a\udcff"])
def test_names_that_fit_are_kept(stem, tmp_path):
    assert file_name(stem, ".png", tmp_path) == f"{stem}.png"
    (tmp_path / file_name(stem, ".png", tmp_path)).touch()


@pytest.mark.parametrize("character", ["a", "é", "猫", "🐈", "\udcff"])
def test_long_names_are_shortened_to_bytes_and_remain_different(character, tmp_path):
    names = {file_name(character * 300 + end, ".png", tmp_path) for end in "xy"}
    assert len(names) == 2
    for name in names:
        (tmp_path / name).touch()
        assert name.endswith(".png")
        assert len(os.fsencode(name)) <= 255
    assert file_name(character * 300 + "x", ".png", tmp_path) in names  # the same every time


def test_a_path_is_shortened_in_its_last_part(tmp_path):
    path = shortened(tmp_path / "absent" / f"{'é' * 200}.png")
    assert path.parent == tmp_path / "absent"
    assert path.suffix == ".png"
    assert len(os.fsencode(path.name)) <= 255


def test_file_systems_with_shorter_names(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "pathconf", lambda folder, name: 143)
    assert len(file_name("a" * 200, ".png", tmp_path)) == 143
