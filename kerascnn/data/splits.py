"""Training, validation and test splits, and the names of their examples."""

import hashlib
import itertools
import os
import re

from kerascnn.data.file_tree import by_parts, composed, images_in, names_below, subfolders

SPLITS = ("train", "validation", "test")

# Names of split folders, without regard to case, spaces, "-" and "_".
_NAMES = {
    "train": "train training trainset trainingset trainingdata traindata segtrain",
    "validation": "val valid validation valset validset validationset dev devset segval segvalid",
    "test": "test testing testset testingset testdata holdout holdoutset eval evaluation evalset "
    "segtest",
}
_SPLIT_OF = {name: split for split, names in _NAMES.items() for name in names.split()}
_HELD_OUT = 0.1


def example_names(split, file_names=None):
    """Iterates over the names of examples: file names, or `test-00000`, `test-00001` ..."""
    if file_names is None:
        return (f"{split}-{number:05d}" for number in itertools.count())
    return iter(file_names[split])


def split_of(name):
    """Returns the split with this name, or `None`."""
    return _SPLIT_OF.get(re.sub(r"[\s_-]+", "", name.casefold()))


def split_folders(root):
    """Returns `{split: folders}` from the names of the subfolders; missing splits are left out.

    If a split's folder contains only a folder of the same split (`seg_train/seg_train`), as in many
    archives, the inner folder is returned.
    """
    found = {}
    for folder in subfolders(root):
        split = split_of(folder.name)
        if split is not None:
            found.setdefault(split, []).append(_inner(folder, split))
    return {split: found[split] for split in SPLITS if split in found}


def innermost(root, is_data):
    """Returns the folder that holds the data: `root`, or the only folder in it.

    Args:
        root: path.
        is_data: function that returns whether a folder holds the data.
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
    """Splits files into a part to keep and a tenth to hold out: `(kept, held out)`.

    A hash of the file name decides: the same files on every machine, and nearly the same when files
    are added. Holds out at least one of two or more files, and none of a single file.

    Args:
        files: list of paths below `root`.
        root: path.
    """
    if len(files) < 2:
        return files, []

    def fate(name):
        return hashlib.sha256(os.fsencode(composed(name))).digest()

    count = max(1, round(_HELD_OUT * len(files)))
    fates = [fate(name) for name in names_below(files, root)]
    chosen = set(sorted(range(len(files)), key=fates.__getitem__)[:count])
    kept = [path for i, path in enumerate(files) if i not in chosen]
    return kept, sorted((files[i] for i in chosen), key=by_parts)
