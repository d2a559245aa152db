"""What the name of a dataset means: an embedded dataset, a folder, or one to look up elsewhere."""

import warnings
from pathlib import Path

# Datasets that come with the installation, by task
EMBEDDED = {
    "classification": ("digits",),
    "segmentation": ("scenes",),
    "upscaling": ("photos",),
}


class EmbeddedSetWarning(UserWarning):
    """A folder has the name of an embedded dataset, which is loaded instead."""


def is_embedded(name, task):
    """Returns whether a task has an embedded dataset of this name; warns if a folder has it too."""
    if name not in EMBEDDED[task]:
        return False
    if Path(name).is_dir():
        warnings.warn(
            f"{name!r} is the embedded dataset; the folder of that name is ./{name}.",
            EmbeddedSetWarning,
            stacklevel=3,
        )
    return True


def is_folder(name):
    """Returns whether there is a folder of this name.

    Raises:
        FileNotFoundError: if there is none, and the name can only be a path.
    """
    if Path(name).is_dir():
        return True
    # "emnist/letters" is a dataset with a configuration; "./letters" and "/letters" are folders.
    if name.startswith((".", "/", "~")) or Path(name).is_absolute():
        raise FileNotFoundError(f"There is no folder {name}.")
    return False
