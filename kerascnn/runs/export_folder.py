"""The folder that a model is exported into, before any work is done for it."""

import os
import shutil
import time
import warnings
from pathlib import Path

from kerascnn.storage.atomic_write import leftovers

# In seconds: no export takes so long.
_OLD = 3600


class LeftoverWarning(UserWarning):
    """A killed export has left a temporary folder, which is removed."""


def check_export(path):
    """Raises an error if nothing can be exported into a folder; removes what killed exports left.

    Args:
        path: path of the folder of the versions.

    Raises:
        NotADirectoryError: if it is below a file.
        PermissionError: if it is read-only.
    """
    path = Path(path)
    there = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    if not there.is_dir():
        raise NotADirectoryError(f"{path} cannot be a folder: {there} is a file.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise PermissionError(f"{path} cannot be written: {there} is read-only.")
    for folder in leftovers(path, ""):
        if folder.parent == path and time.time() - folder.stat().st_mtime > _OLD:
            shutil.rmtree(folder, ignore_errors=True)
            warnings.warn(
                f"{folder} was left by an export that was killed, and is removed.",
                LeftoverWarning,
                stacklevel=3,
            )
