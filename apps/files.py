"""Files that a user names, and the files that are answers to them."""

import os
from pathlib import Path

from PIL import Image

from kerascnn import data


def places(paths):
    """Pairs of an image file and its path below the folder that was given.

    From then on Pillow reads images of any size: whoever names a file wants it read.

    Raises:
        FileNotFoundError: if there is no such file or folder.
        ValueError: if a folder holds no images.
    """
    Image.MAX_IMAGE_PIXELS = None
    for path in map(Path, paths):
        for file in data.files_of([path]):
            yield file, file.relative_to(path) if path.is_dir() else Path(file.name)


def check_folder(path):
    """Raises an error if a path cannot be a folder for answers."""
    if path.exists() and not path.is_dir():
        raise NotADirectoryError(f"{path} must be a folder for the answers; it is a file.")


def check_free(file, targets, written, force):
    """Raises an error if a file's answers may not be written.

    Args:
        file: path of the file that is asked about.
        targets: paths of its answers.
        written: set of the paths of all answers so far.
        force: bool, whether what was there before may be overwritten.

    Raises:
        FileExistsError: if one of them exists.
    """
    for target in targets:
        if target in written:
            raise FileExistsError(f"{file} is left out: {target} is the answer to another file.")
        if target.exists() and not force:
            raise FileExistsError(f"{file} is left out: {target} exists; --force overwrites it.")


def printable(path):
    """A path as text, also one that is no valid Unicode."""
    return os.fsencode(path).decode(errors="replace")
