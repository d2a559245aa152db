"""File names from any text, within the limits of the file system."""

import hashlib
import os
from pathlib import Path

# The limit of Linux, macOS and Windows; file systems with encrypted names allow less.
_LIMIT = 255


def file_name(stem, suffix="", folder="."):
    """Returns `stem + suffix`, shortened to the number of bytes that a folder allows.

    A shortened name ends in a hash of the whole stem, so that long names stay different.

    Args:
        stem: str without slashes; its size is measured in UTF-8, whatever the locale.
        suffix: str, never shortened.
        folder: path of the folder, which need not exist yet.
    """
    encoded, ending = (text.encode("utf-8", "surrogateescape") for text in (stem, suffix))
    room = _limit(Path(folder)) - len(ending)
    if len(encoded) > room:
        digest = b"-" + hashlib.sha256(encoded).hexdigest()[:8].encode()
        # Ignores a character of several bytes that was cut.
        start = encoded[: room - len(digest)].decode("utf-8", "ignore")
        encoded = start.encode() + digest
    return os.fsdecode(encoded + ending)


def shortened(path):
    """Shortens the last part of a path to the limit of the file system."""
    path = Path(path)
    return path.with_name(file_name(path.stem, path.suffix, path.parent))


def _limit(folder):
    folder = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    try:
        return min(_LIMIT, os.pathconf(folder, "PC_NAME_MAX"))
    except (AttributeError, OSError, ValueError):  # Windows
        return _LIMIT
