import errno
import json
import os
import signal
import subprocess
import sys
import threading

import pytest

from kerascnn.storage import run_lock
from kerascnn.storage.run_lock import RunLock
from kerascnn.training import RunFolder
from kerascnn.training.errors import RunInUseError

HOLD = """
import sys, types
from pathlib import Path
# The package itself would load TensorFlow.
for name in ("kerascnn", "kerascnn.training"):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [str(Path(sys.argv[1], *name.split(".")))]
from kerascnn.storage.run_lock import RunLock
with RunLock(sys.argv[2]).held("a command"):
    print("held", flush=True)
    sys.stdin.read()
"""
RECIPE = {"training": {"epochs": 2}}


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock of a run."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(run_lock.__file__)))
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, root, str(tmp_path / "run")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_another_process_is_refused_and_named(holder, tmp_path):
    run = RunFolder(tmp_path / "run")
    named = rf"run is in use by process {holder.pid} on \S+ \(a command\) since .*; wait until"
    for attempt in (run.check_usable, run.clear, lambda: run.begin(RECIPE)):
        with pytest.raises(RunInUseError, match=named):
            attempt()
    holder.communicate()  # ends in order
    assert not (tmp_path / "run").exists()  # nothing was begun
    run.begin(RECIPE)


def test_a_killed_process_leaves_no_lock(holder, tmp_path):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (tmp_path / "run" / ".kerascnn.lock").is_file()
    run = RunFolder(tmp_path / "run")
    assert run.state == "new"
    with run.locked("a command"):
        found = json.loads((tmp_path / "run" / ".kerascnn.lock").read_text())
        assert found["pid"] == os.getpid()
        run.begin(RECIPE)
    assert not (tmp_path / "run" / ".kerascnn.lock").exists()


def test_one_lock_nests_and_another_of_the_process_is_refused(tmp_path):
    lock, other = RunLock(tmp_path), RunLock(tmp_path)
    with lock.held(), lock.held():
        lock.check_free()
        with pytest.raises(RunInUseError, match=f"process {os.getpid()}"), other.held():
            pass
        with pytest.raises(RunInUseError):
            other.check_free()
    with other.held():
        pass
    assert list(tmp_path.iterdir()) == []


def test_only_one_of_many_holds_it(tmp_path):
    """The file of the lock is removed and created again and again meanwhile."""
    inside, most, failures = [0], [0], []

    def work():
        for _ in range(30):
            try:
                with RunLock(tmp_path / "run").held():
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                    inside[0] -= 1
            except RunInUseError:
                pass
            except BaseException as error:
                failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert most == [1]


def test_a_folder_on_a_missing_disk_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(run_lock, "_FILES", 3)
    (tmp_path / "runs").symlink_to(tmp_path / "not mounted")
    with (
        pytest.raises(FileExistsError, match="runs"),
        RunLock(tmp_path / "runs" / "digits").held("a command"),
    ):
        pass


@pytest.mark.skipif(run_lock.fcntl is None, reason="the system has no such locks")
def test_a_full_disk_leaves_no_lock(tmp_path, monkeypatch):
    def full(descriptor, text):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with (
            pytest.raises(OSError, match="lock cannot be written: the disk is full"),
            RunLock(tmp_path / "run").held("a command"),
        ):
            pass
    assert not (tmp_path / "run").exists()
    with RunLock(tmp_path / "run").held("a command"):
        pass


def test_without_locks_of_the_system_nothing_is_locked(tmp_path, monkeypatch):
    monkeypatch.setattr(run_lock, "fcntl", None)
    with RunLock(tmp_path).held(), RunLock(tmp_path).held():
        pass
    RunFolder(tmp_path / "run").begin(RECIPE)
