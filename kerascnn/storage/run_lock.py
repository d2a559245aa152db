"""A lock so that only one process at a time writes to a run folder."""

import json
import os
import socket
import time
from contextlib import contextmanager, suppress
from pathlib import Path

from kerascnn.storage.atomic_write import explained, make_folder

try:
    import fcntl
except ImportError:  # Windows: runs are not locked there
    fcntl = None

LOCK_NAME = ".kerascnn.lock"
# Another process may hold the lock for a moment while it checks whether it is free.
_TRIES, _PAUSE = 10, 0.02
# Number of attempts, because others may remove the lock file while it is being locked.
_FILES = 100


class RunInUseError(RuntimeError):
    """Raised when another process is training in the run folder.

    Args:
        sentence: str, the message.
        command: optional str, the command of that process, if known.
    """

    def __init__(self, sentence: str, command: str | None = None) -> None:
        super().__init__(sentence)
        self.command = command


class RunLock:
    """The lock of a run folder: the file `.kerascnn.lock`, locked by the operating system.

    When a process ends, even by `kill -9`, the lock is released; a remaining file has no effect. On
    Windows, and on file systems without locks, nothing is locked.

    Args:
        folder: path of the run folder.
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        self.path = self.folder / LOCK_NAME
        self._descriptor = None
        self._depth = 0
        self._created = []

    @contextmanager
    def held(self, command=""):
        """Holds the lock within the context; contexts of one lock may be nested.

        Args:
            command: str, shown to processes that find the folder locked.

        Raises:
            RunInUseError: if another process, or another `RunLock` in this process, holds the lock.
        """
        if self._depth == 0:
            self._acquire(command)
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if self._depth == 0:
                self._release()

    def check_free(self):
        """Raises an error if another process holds the lock.

        Raises:
            RunInUseError: if another process holds the lock.
        """
        if self._depth or fcntl is None:
            return
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_NOFOLLOW)
        except OSError:  # there is no lock
            return
        try:
            self._lock(descriptor)
        finally:
            os.close(descriptor)

    def _acquire(self, command):
        folders = (self.folder, *self.folder.parents)
        self._created = [folder for folder in folders if not folder.exists()]
        if fcntl is None:
            make_folder(self.folder)
            return
        descriptor = self._open_locked()
        holder = {
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "command": command,
            "since": time.strftime("%Y-%m-%d %H:%M:%S"),
        }
        self._descriptor = descriptor
        try:
            with explained(self.path):
                os.ftruncate(descriptor, 0)
                os.write(descriptor, json.dumps(holder).encode())
        except BaseException:  # such as a full disk
            self._release()
            raise

    def _open_locked(self):
        error = None
        for _ in range(_FILES):
            try:
                make_folder(self.folder)
                descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
            except FileNotFoundError:  # a process that did not start a run has removed the folder
                continue
            except FileExistsError as found:  # the same, or something else has the name
                error = found
                time.sleep(_PAUSE)
                continue
            try:
                self._lock(descriptor)
                if os.path.samestat(os.fstat(descriptor), os.stat(self.path)):
                    return descriptor
            except FileNotFoundError:
                pass
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)  # the process that held the lock has removed the file
        if error is not None:
            raise error
        raise RunInUseError(f"{self.path} is repeatedly removed and created by other processes.")

    def _release(self):
        if self._descriptor is not None:
            with suppress(OSError):
                self.path.unlink()
            os.close(self._descriptor)
            self._descriptor = None
        with suppress(OSError):  # a run that never started leaves nothing
            for folder in self._created:
                folder.rmdir()

    def _lock(self, descriptor):
        for attempt in range(_TRIES):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if attempt == _TRIES - 1:
                    raise self._in_use() from None
                time.sleep(_PAUSE)
            except OSError:  # a file system without locks
                return
            else:
                return

    def _in_use(self):
        by, command = "another process", None
        with suppress(OSError, ValueError, KeyError, TypeError):
            holder = json.loads(self.path.read_bytes())
            shown = f" ({holder['command']})" if holder["command"] else ""
            by = f"process {holder['pid']} on {holder['host']}{shown} since {holder['since']}"
            command = holder["command"] or None
        return RunInUseError(
            f"{self.folder} is in use by {by}; wait until it ends, or choose another folder.",
            command,
        )
