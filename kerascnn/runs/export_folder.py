"""Checks the output folder before a model is exported."""

import os
import shutil
import time
import warnings
from pathlib import Path

from kerascnn.export.exporting import TEMPORARY
from kerascnn.storage.atomic_write import leftovers

# In seconds; no export takes this long.
_OLD = 3600


class LeftoverWarning(UserWarning):
    """Warns that a killed export left a temporary folder, which is removed."""


def check_export(path):
    """Raises an error if a folder cannot be written; removes leftovers of killed exports.

    Args:
        path: path of the folder of the versions.

    Raises:
        NotADirectoryError: if a parent is a file.
        PermissionError: if it is read-only.
    """
    path = Path(path)
    there = next(folder for folder in (path, *path.absolute().parents) if folder.exists())
    if not there.is_dir():
        raise NotADirectoryError(f"{path} cannot be a folder: {there} is a file.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise PermissionError(f"{path} cannot be written: {there} is read-only.")
    for folder in leftovers(path, TEMPORARY, deep=False):
        if time.time() - folder.stat().st_mtime > _OLD:
            shutil.rmtree(folder, ignore_errors=True)
            warnings.warn(
                f"{folder} was left by a killed export, and is removed.",
                LeftoverWarning,
                stacklevel=3,
            )
