"""Resolves a dataset name: an embedded dataset, a folder, or another name."""

import warnings
from pathlib import Path

# Datasets included in the installation, by task
EMBEDDED = {
    "classification": ("digits",),
    "segmentation": ("scenes",),
    "upscaling": ("photos",),
}


class EmbeddedSetWarning(UserWarning):
    """Warns that a folder has the name of an embedded dataset, which is loaded instead."""


def is_embedded(name, task):
    """Returns whether a task has this embedded dataset; warns if a folder has the same name."""
    if name not in EMBEDDED[task]:
        return False
    if Path(name).is_dir():
        warnings.warn(
            f"{name!r} is the embedded dataset; for the folder of that name use ./{name}.",
            EmbeddedSetWarning,
            stacklevel=3,
        )
    return True


def is_folder(name):
    """Returns whether there is a folder of this name.

    Raises:
        FileNotFoundError: if there is none, although the name can only be a path.
    """
    if Path(name).is_dir():
        return True
    # "emnist/letters" is a dataset with a configuration; "./letters" and "/letters" are folders.
    if name.startswith((".", "/", "~")) or Path(name).is_absolute():
        raise FileNotFoundError(f"There is no folder {name}.")
    return False
