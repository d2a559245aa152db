"""File names from any text, no longer than the file system allows."""

import hashlib
import os
from pathlib import Path

# What Linux, macOS and Windows allow; file systems with encrypted names allow less.
_LIMIT = 255


def file_name(stem, suffix="", folder="."):
    """Returns `stem + suffix`, shortened to the bytes that a name may have in a folder.

    A shortened name ends in a hash of the whole stem, so that two long names remain different.

    Args:
        stem: str without slashes; characters count as UTF-8, whatever the locale.
        suffix: str, kept whole.
        folder: path of the folder, which need not exist yet.
    """
    encoded, ending = (text.encode("utf-8", "surrogateescape") for text in (stem, suffix))
    room = _limit(Path(folder)) - len(ending)
    if len(encoded) > room:
        digest = b"-" + hashlib.sha256(encoded).hexdigest()[:8].encode()
        # A character may take several bytes: none is cut in two.
        start = encoded[: room - len(digest)].decode("utf-8", "ignore")
        encoded = start.encode() + digest
    return os.fsdecode(encoded + ending)


def shortened(path):
    """A path whose last part the file system accepts."""
    path = Path(path)
    return path.with_name(file_name(path.stem, path.suffix, path.parent))


def _limit(folder):
    folder = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    try:
        return min(_LIMIT, os.pathconf(folder, "PC_NAME_MAX"))
    except (AttributeError, OSError, ValueError):  # Windows
        return _LIMIT
