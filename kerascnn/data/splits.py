"""Training, validation and test: how files fall into them, and what their examples are called."""

import hashlib
import itertools
import os

SPLITS = ("train", "validation", "test")

# What people call the folder of a split.
_SPLIT_FOLDERS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val"),
    "test": ("test", "testing"),
}
_HELD_OUT = 0.1


def example_names(split, file_names=None):
    """Returns an iterator over names of examples: the files', or `test-00000`, `test-00001` ..."""
    if file_names is None:
        return (f"{split}-{number:05d}" for number in itertools.count())
    return iter(file_names[split])


def split_folders(root):
    """Returns `{split: folder}` by the names of the subfolders; `None` where there is none."""
    folders = sorted(entry for entry in root.iterdir() if entry.is_dir())
    return {
        split: next((entry for entry in folders if entry.name.casefold() in names), None)
        for split, names in _SPLIT_FOLDERS.items()
    }


def cut(files, root):
    """Splits files into those kept and a tenth held out: `(kept, held out)`.

    A hash of the file's name decides: the same files on every machine, and nearly the same when
    files are added. Of two files at least one is held out, of one none.

    Args:
        files: list of paths below `root`.
        root: path.
    """
    if len(files) < 2:
        return files, []

    def fate(path):
        return hashlib.sha256(os.fsencode(path.relative_to(root).as_posix())).digest()

    count = max(1, round(_HELD_OUT * len(files)))
    held_out = set(sorted(files, key=fate)[:count])
    return [path for path in files if path not in held_out], sorted(held_out)
