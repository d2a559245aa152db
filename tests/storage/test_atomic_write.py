import os

import pytest

from kerascnn.storage.atomic_write import atomic_write, sync_tree


@pytest.fixture
def operations(monkeypatch):
    """What is flushed and renamed, in order."""
    done = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(
        os, "fsync", lambda file: (done.append(os.readlink(f"/proc/self/fd/{file}")), fsync(file))
    )
    monkeypatch.setattr(
        os, "replace", lambda old, new: (done.append(f"rename {new}"), replace(old, new))
    )
    return done


def test_files_are_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "sub" / "metrics.json"
    with atomic_write(path) as temporary:
        temporary.write_text("first")
    with pytest.raises(RuntimeError), atomic_write(path) as temporary:  # noqa: PT012
        temporary.write_text("half of the sec")
        raise RuntimeError
    assert path.read_text() == "first"
    assert [entry.name for entry in path.parent.iterdir()] == ["metrics.json"]


def test_content_is_on_disk_before_it_replaces_another(tmp_path, operations):
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("the names of open files are only known on Linux")
    path = tmp_path / "sub" / "metrics.json"
    with atomic_write(path) as temporary:
        temporary.write_text("first")
    assert operations == [str(tmp_path), str(temporary), f"rename {path}", str(path.parent)]
    operations.clear()
    sync_tree(tmp_path)
    assert operations == [str(path.parent), str(path), str(tmp_path)]
