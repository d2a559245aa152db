"""A folder of images, one subfolder for each class."""

import os
from pathlib import Path

import numpy as np
import tensorflow as tf

from kerascnn.arguments import UsageError
from kerascnn.data.classification import ClassificationData
from kerascnn.data.images import SUFFIXES, image_files, read_image
from kerascnn.data.readable import readable
from kerascnn.data.splits import SPLITS, cut, split_folders
from kerascnn.storage.printable import printable


def class_folder(path, strict=False):
    """Finds the images of a folder and reads each once, to find broken ones.

    Either the folder has a subfolder for each split with the class subfolders inside (a missing
    validation or test split is then cut from training), or class subfolders directly. A cut takes a
    tenth of every class, at least one image, chosen by a hash of the file's name: the same images
    on every machine, and nearly the same when images are added.

    Args:
        path: str or path.
        strict: bool, whether a broken image is an error; otherwise it is skipped with a
            `SkippedImageWarning`.

    Raises:
        UsageError: if there are fewer than two classes with images, or a split has other classes.
        UnreadableImageError: if `strict` and an image is broken.
    """
    root = Path(path).resolve()
    trees = split_folders(root)
    if trees["train"] is None:
        trees = {"train": root, "validation": None, "test": None}
    class_names = _class_folders(trees["train"])
    if {"images", "masks"} <= set(class_names):
        raise UsageError(
            f"{trees['train']} must have a subfolder of images for each class; it has images and "
            "masks, which are for segmentation."
        )
    if len(class_names) < 2:
        raise UsageError(
            f"{trees['train']} must have a subfolder of images for each of at least two classes; "
            f"got {_listed(class_names)}."
        )
    shapes = {}
    files = {}
    for split, tree in trees.items():
        if tree is not None:
            _check_classes(tree, class_names)
            files[split] = [_whole_images(tree / name, shapes, strict) for name in class_names]
    for name, images in zip(class_names, files["train"], strict=True):
        if not images:
            raise UsageError(
                f"{trees['train'] / name} must have images ({', '.join(SUFFIXES)}); got none."
            )
    for split in ("validation", "test"):
        if split not in files:
            cuts = [cut(images, root) for images in files["train"]]
            files["train"] = [kept for kept, _ in cuts]
            files[split] = [cut for _, cut in cuts]
    if not any(files["validation"]):
        raise UsageError(
            f"{root} must have at least two images of some class, so that one can be kept for "
            f"validation; got {sum(map(len, files['train']))} images of {len(class_names)} classes."
        )
    return _data(root, class_names, files, shapes)


def _class_folders(tree):
    return sorted(
        entry.name for entry in tree.iterdir() if entry.is_dir() and not entry.name.startswith(".")
    )


def _check_classes(tree, class_names):
    """Refuses classes that training lacks, whose images would be left out silently."""
    unknown = sorted(set(_class_folders(tree)) - set(class_names))
    if unknown:
        raise UsageError(
            f"{tree} must have no other classes than the training split ({_listed(class_names)}); "
            f"got {_listed(unknown)}."
        )


def _listed(names):
    return ", ".join(repr(name) for name in names) or "none"


def _whole_images(tree, shapes, strict):
    """Returns the readable images below a folder, sorted; notes their shapes in `shapes`."""
    if not tree.is_dir():
        return []
    found = readable(image_files(tree), lambda path: read_image(path).shape, strict)
    shapes |= found
    return list(found)


def _data(root, class_names, files, shapes):
    sizes = {shape[:2] for shape in shapes.values()}
    size = sizes.pop() if len(sizes) == 1 else (None, None)
    channels = max(shape[2] for shape in shapes.values())

    def read(path):
        return read_image(os.fsdecode(path), channels)

    def decode(path, label):
        image = tf.numpy_function(read, [path], tf.uint8, stateful=False)
        image.set_shape((*size, channels))
        return image, label

    elements, file_names = {}, {}
    for split in SPLITS:
        images = [path for images in files[split] for path in images]
        paths = [os.fsencode(path) for path in images]
        labels = np.repeat(np.arange(len(class_names)), [len(images) for images in files[split]])
        elements[split] = tf.data.Dataset.from_tensor_slices(
            (tf.constant(paths, tf.string, (len(paths),)), labels.astype(np.int64))
        )
        file_names[split] = tuple(printable(path.relative_to(root).as_posix()) for path in images)
    return ClassificationData(
        name=str(root),
        class_names=tuple(map(printable, class_names)),
        stored_shape=(*size, channels),
        elements=elements,
        decode=decode,
        num_examples={split: len(names) for split, names in file_names.items()},
        file_names=file_names,
    )
