"""Detects the classes and splits of a folder of images."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kerascnn.arguments import UsageError
from kerascnn.data.file_tree import composed, find_images, has_images, images_in, subfolders
from kerascnn.data.splits import innermost, split_folders, split_of
from kerascnn.storage.printable import printable

_NAMED = 5


@dataclass(frozen=True)
class ClassLayout:
    """Labeled image files.

    Args:
        name: str, the kind of folder.
        class_names: names of the classes.
        files: `{split: list of lists of paths}`, by class; splits without files are left out.
        sources: `{split: str}`, the source of each split.
        others: paths of files that are left out.
        notes: messages for the user.
    """

    name: str
    class_names: tuple[str, ...]
    files: Mapping[str, list[list[Path]]]
    sources: Mapping[str, str]
    others: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()


def class_folders(root):
    """Reads a folder with a subfolder for each class: inside or around splits, or without.

    Raises:
        UsageError: if there are fewer than two classes, or the splits are ambiguous.
    """
    given, root = root, innermost(root, lambda folder: len(subfolders(folder)) != 1)
    if not subfolders(root):
        root = given if root == given else root.parent
    _check_not_masks(root, [entry.name for entry in subfolders(root)])
    trees, apart, notes = _trees(root)
    if trees is None:
        trees, notes = _class_first(root), []
        if trees is not None:
            return _layout(root, "folders of splits in folders of classes", trees, (), notes)
        trees = {"train": {entry.name: [entry] for entry in subfolders(root)}}
        odd = [name for name in trees["train"] if split_of(name)]
        if odd and len(odd) == len(trees["train"]):
            raise UsageError(
                f"{root} must have a subfolder of images for each class in {odd[0]}; it has "
                f"images without classes there. Move them: `mkdir {odd[0]}/CLASS; "
                f"mv {odd[0]}/FILES {odd[0]}/CLASS`."
            )
        for name in odd:
            notes = [
                *notes,
                f"{name} is read as a class, not as a split, because it has images and no folders",
            ]
        return _layout(root, "folders of classes", trees, images_in(root), notes)
    return _layout(root, "folders of classes in folders of splits", trees, apart, notes)


def _trees(root):
    """Returns `{split: {class: folders}}`, ignored images, and notes; or `None`."""
    found, notes, apart = split_folders(root), [], []
    splits = {}
    for split, folders in found.items():
        for folder in folders:
            if any(has_images(entry) for entry in subfolders(folder)):
                splits.setdefault(split, []).append(folder)
    if not splits:
        return None, [], []
    of_splits = {folder for folders in splits.values() for folder in folders}
    rest = [
        entry
        for entry in subfolders(root)
        if not any(entry == folder or entry in folder.parents for folder in of_splits)
        and has_images(entry)
    ]
    trees = {}
    for split, folders in splits.items():
        trees[split] = {}
        for folder in folders:
            apart += images_in(folder)
            for entry in subfolders(folder):
                trees[split].setdefault(entry.name, []).append(entry)
    if "train" in splits:
        _check_not_masks(splits["train"][0], trees["train"])
        for entry in rest:
            count = len(find_images(entry).images)
            notes.append(f"{entry.name}/ is left out: its {count:,} images are in no split")
        return trees, apart + images_in(root), notes
    rest = [entry for entry in rest if split_of(entry.name) is None]
    if not rest:
        names = " and ".join(folder.name for folders in splits.values() for folder in folders)
        raise UsageError(
            f"{root} must have a train folder next to {names}; there is none. "
            f"Rename the folder to train on: `mv {next(iter(of_splits)).name} train`."
        )
    trees["train"] = {entry.name: [entry] for entry in rest}
    return trees, apart + images_in(root), notes


def _class_first(root):
    """Returns `{split: {class: folders}}` if each class has split folders, or `None`."""
    classes, without = {}, []
    for entry in subfolders(root):
        splits = split_folders(entry)
        named = sum(split_of(folder.name) is not None for folder in subfolders(entry))
        if "train" in splits and named == len(subfolders(entry)) and not images_in(entry):
            classes[entry.name] = splits
        elif has_images(entry):
            without.append(entry)
    if not classes:
        return None
    if without:
        raise UsageError(
            f"Each class of {root} must have the same folders of splits; {next(iter(classes))} has "
            f"{', '.join(next(iter(classes.values())))}, and {without[0].name} has none. "
            f"Move its images: `mkdir {without[0].name}/train; mv {without[0].name}/*.* "
            f"{without[0].name}/train`."
        )
    trees = {}
    for name, splits in classes.items():
        for split, folders in splits.items():
            trees.setdefault(split, {})[name] = folders
    return trees


def _layout(root, name, trees, apart, notes):
    class_names = sorted(map(composed, trees["train"]))
    if len(class_names) < 2:
        raise UsageError(
            f"{root} must have a subfolder of images for each of at least two classes; "
            f"got {_listed(class_names)}. Make one for each: `mkdir -p {root}/CLASS`."
        )
    files, others = {}, list(apart)
    for split, tree in trees.items():
        by_class = {}
        for entry, folders in tree.items():
            by_class.setdefault(composed(entry), []).extend(folders)
        unknown = sorted(
            entry
            for entry, folders in by_class.items()
            if entry not in class_names and any(map(has_images, folders))
        )
        if unknown:
            where = by_class[unknown[0]][0].parent
            raise UsageError(
                f"{where} must have no other classes than the training split "
                f"({_listed(class_names)}); got {_listed(unknown)}. "
                f"Rename or move it: `mv {where / unknown[0]} {where / class_names[0]}`."
            )
        files[split] = []
        for entry in class_names:
            images = []
            for folder in by_class.get(entry, ()):
                found = find_images(folder)
                images += found.images
                others += found.others
            files[split].append(images)
    sources = {split: _source(root, tree) for split, tree in trees.items()}
    return ClassLayout(name, tuple(class_names), files, sources, tuple(others), tuple(notes))


def _source(root, tree):
    """Returns the folder that a split was read from, or "" if it is the whole folder."""
    folders = [folder for folders in tree.values() for folder in folders]
    parents = {folder.parent for folder in folders}
    if parents == {root}:
        return ""
    if len(parents) == 1:
        return printable(parents.pop().relative_to(root)) + "/"
    names = {folder.name for folder in folders}
    if len(names) == 1:
        return f"*/{names.pop()}/"
    return ", ".join(f"{printable(parent.relative_to(root))}/" for parent in sorted(parents)[:3])


def _check_not_masks(tree, classes):
    names = {re.sub(r"\W", "", name.casefold()) for name in classes}
    pairs = ({"images", "masks"}, {"images", "annotations"}, {"jpegimages", "annotations"})
    pairs += ({"leftimg8bit", "gtfine"}, {"images", "labels"})
    for pair in pairs:
        if pair <= names:
            raise UsageError(
                f"{tree} must have a subfolder of images for each class; it has "
                f"{' and '.join(sorted(pair, reverse=pair == {'leftimg8bit', 'gtfine'}))}, which "
                f"are for segmentation: `kerascnn segment train --data {tree}`."
            )


def _listed(names):
    more = ", ..." if len(names) > _NAMED else ""
    return ", ".join(repr(name) for name in names[:_NAMED]) + more or "none"
