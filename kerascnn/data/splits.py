"""Training, validation and test: how files fall into them, and what their examples are called."""

import hashlib
import itertools
import os
import re

from kerascnn.data.file_tree import composed, images_in, subfolders

SPLITS = ("train", "validation", "test")

# What people call the folder of a split, without regard to case, spaces, "-" and "_".
_NAMES = {
    "train": "train training trainset trainingset trainingdata traindata segtrain",
    "validation": "val valid validation valset validset validationset dev devset segval segvalid",
    "test": "test testing testset testingset testdata holdout holdoutset eval evaluation evalset "
    "segtest",
}
_SPLIT_OF = {name: split for split, names in _NAMES.items() for name in names.split()}
_HELD_OUT = 0.1


def example_names(split, file_names=None):
    """Returns an iterator over names of examples: the files', or `test-00000`, `test-00001` ..."""
    if file_names is None:
        return (f"{split}-{number:05d}" for number in itertools.count())
    return iter(file_names[split])


def split_of(name):
    """Returns the split that people call so, or `None`."""
    return _SPLIT_OF.get(re.sub(r"[\s_-]+", "", name.casefold()))


def split_folders(root):
    """Returns `{split: folders}` by the names of the subfolders, without splits that have none.

    Where a split's folder holds nothing but a folder of the same split (`seg_train/seg_train`), as
    archives often have it, the inner one is returned.
    """
    found = {}
    for folder in subfolders(root):
        split = split_of(folder.name)
        if split is not None:
            found.setdefault(split, []).append(_inner(folder, split))
    return {split: found[split] for split in SPLITS if split in found}


def innermost(root, is_data):
    """Returns the folder that holds the data: `root`, or a folder that is alone in it.

    Args:
        root: path.
        is_data: function of a folder that says whether data begin there.
    """
    for _ in range(3):
        inside = subfolders(root)
        if is_data(root) or len(inside) != 1 or images_in(root) or split_of(inside[0].name):
            return root
        root = inside[0]
    return root


def _inner(folder, split):
    inside = subfolders(folder)
    if len(inside) == 1 and split_of(inside[0].name) == split and not images_in(folder):
        return inside[0]
    return folder


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
        return hashlib.sha256(os.fsencode(composed(path.relative_to(root).as_posix()))).digest()

    count = max(1, round(_HELD_OUT * len(files)))
    held_out = set(sorted(files, key=fate)[:count])
    return [path for path in files if path not in held_out], sorted(held_out)
