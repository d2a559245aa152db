"""Writes files atomically, and flushes them to disk before they replace older files."""

import errno
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

# A process that is killed while it writes leaves a folder with this name.
_TEMPORARY = ".writing-"


class WriteError(OSError):
    """Raised when a file could not be written; the previous file is unchanged."""


# System errors of a disk, each with a reason and an action
_REASONS = {
    errno.ENOSPC: ("the disk is full", "free some space"),
    errno.EDQUOT: ("the quota is used up", "free some space"),
    errno.EFBIG: (
        "the file is too large for the file system",
        "allow larger files, or use another disk",
    ),
    errno.EROFS: ("the file system is read-only", "make it writable"),
    errno.EACCES: ("its folder is read-only", "make it writable"),
    errno.EPERM: ("its folder is read-only", "make it writable"),
    errno.EIO: ("the disk reports an error", "check the disk"),
    errno.ENOENT: ("its folder was removed meanwhile", "leave the folder where it is"),
}


def full_disk(path):
    """Returns the `WriteError` of a file or folder on a disk that is full."""
    reason, action = _REASONS[errno.ENOSPC]
    return WriteError(f"{path} cannot be written: {reason}; {action}.")


@contextmanager
def explained(path, size=None):
    """Converts system errors while writing a file to `WriteError`.

    Args:
        path: path of the file.
        size: int, its number of bytes, if known.

    Raises:
        WriteError: for a system error.
    """
    try:
        yield
    except WriteError:
        raise
    except OSError as error:
        if error.errno not in _REASONS:
            raise
        reason, action = _REASONS[error.errno]
        room = ""
        if error.errno == errno.ENOSPC and size is not None:
            there = next(parent for parent in Path(path).absolute().parents if parent.exists())
            free = shutil.disk_usage(there).free
            room = f" ({size / 1e6:.1f} MB needed, {free / 1e6:.1f} MB free)"
        raise WriteError(f"{path} cannot be written: {reason}{room}; {action}.") from error


@contextmanager
def atomic_write(path, size=None):
    """Yields a temporary path next to `path`; it becomes `path` if no error occurs.

    The content is flushed to disk before it replaces an older file, so that a power failure leaves
    either the old file or the new one.

    Args:
        path: str or path of the file.
        size: int, the number of bytes to write, for the error message if the disk is full.

    Raises:
        WriteError: if the disk is full, read-only or damaged.

    Example:
        >>> import pathlib
        >>> import tempfile
        >>> from kerascnn.storage.atomic_write import atomic_write
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with atomic_write(f"{folder}/notes.txt") as temporary:
        ...         count = temporary.write_text("all or nothing")
        ...     print(pathlib.Path(folder, "notes.txt").read_text())
        all or nothing
    """
    with explained(path, size), temporary_next_to(path) as temporary:
        yield temporary
        put_in_place(temporary, path)


@contextmanager
def temporary_next_to(path, owner=""):
    """Yields a path with the same name in a temporary folder, which is removed afterwards.

    Args:
        path: str or path of the file to write later; its folder is created.
        owner: str, part of the name of the temporary folder, for `leftovers`.
    """
    path = Path(path)
    make_folder(path.parent)
    folder = Path(tempfile.mkdtemp(prefix=f"{_TEMPORARY}{owner}", dir=path.parent))
    try:
        yield folder / path.name
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def leftovers(folder, owner, deep=True):
    """Lists the temporary folders of an owner that killed processes left in or below a folder."""
    pattern = f"{_TEMPORARY}{owner}*"
    found = Path(folder).rglob(pattern) if deep else Path(folder).glob(pattern)
    return [path for path in found if path.is_dir()]


def put_in_place(temporary, path):
    """Renames a file to its final path once its content is on disk."""
    sync(temporary)
    os.replace(temporary, path)
    sync(Path(path).parent)


def make_folder(path):
    """Creates a folder and its missing parents, and flushes their names to disk."""
    path = Path(path)
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for folder in missing:
        sync(folder.parent)


def sync(path):
    """Flushes a file, or the names in a folder, to disk."""
    folder, windows = os.path.isdir(path), os.name == "nt"
    if folder and windows:  # Windows cannot flush folders
        return
    descriptor = os.open(path, os.O_RDWR if windows else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems flush files, but not folders.
        if not folder or error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EBADF):
            raise
    finally:
        os.close(descriptor)


def sync_tree(folder):
    """Flushes a folder and everything below it to disk."""
    for path in Path(folder).rglob("*"):
        if not path.is_symlink():
            sync(path)
    sync(folder)
