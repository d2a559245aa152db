"""A folder of images and masks."""

import math
import os
import warnings
from pathlib import Path

import numpy as np
import tensorflow as tf

from kerascnn.arguments import UsageError
from kerascnn.data.images import SUFFIXES, image_files, open_image, read_image
from kerascnn.data.readable import readable
from kerascnn.data.segmentation import SegmentationData, ignored_among
from kerascnn.data.splits import SPLITS, cut, split_folders
from kerascnn.ops.ignored import IGNORED
from kerascnn.storage.printable import printable

# How many of the files with the same fault are named.
_NAMED = 3


class HeldOutWarning(UserWarning):
    """There is no validation or test split, so training images are held out for it."""


def read_mask(path, max_pixels=None):
    """Reads a mask: the number of the class of every pixel.

    Args:
        path: path of an image file of one channel, or with a palette (the numbers are its indices).
        max_pixels: int, as in `read_image`.

    Returns:
        uint8 array of shape `(height, width)`.

    Raises:
        UnreadableImageError: if the file is not an image, is broken or has too many pixels.
        UsageError: if the file has colors, or numbers above 255.
        FileNotFoundError: if there is no such file.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> from PIL import Image
        >>> import kerascnn
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Image.fromarray(np.full((2, 3), 7, "uint8")).save(f"{folder}/mask.png")
        ...     mask = kerascnn.data.read_mask(f"{folder}/mask.png")
        >>> mask.tolist()
        [[7, 7, 7], [7, 7, 7]]
    """
    with open_image(path, max_pixels, kind="a mask") as image:
        mode, values = image.mode, np.asarray(image)
    if values.ndim != 2:
        raise UsageError(
            f"{path} must have the number of a class in every pixel, in one channel or by a "
            f"palette; got an image of mode {mode}."
        )
    if values.min() < 0 or values.max() > IGNORED:
        found = values.min() if values.min() < 0 else values.max()
        raise UsageError(f"{path} must have numbers in [0, 255]; got {found}.")
    return values.astype(np.uint8)


def mask_folder(path, ignore=None, strict=False, for_training=True):
    """Finds the pairs of a folder and reads each once, to find broken ones.

    The folder has `classes.txt`, a name per line in the order of the masks' values, and either
    `images/` and `masks/`, or a subfolder with these two for each split (`train`, `val`, `test`).
    A missing validation or test split is cut from training: a tenth, chosen by a hash of the file's
    name. An image and its mask have the same name, except for the suffix.

    Args:
        path: str or path.
        ignore: optional names of classes to ignore, in addition to those named `void` or the like
            and to pixels of 255.
        strict: bool, whether a broken file is an error; otherwise its pair is skipped with a
            `SkippedImageWarning`.
        for_training: bool, whether there must be images for training and validation, with all
            classes in them.

    Raises:
        UsageError: if images and masks do not match in name or size, a mask has a value of no
            class, a class never occurs in training, or there are too few images.
        FileNotFoundError: if the folder lacks `classes.txt`, `images` or `masks`.
        UnreadableImageError: if `strict` and a file is broken.
    """
    root = Path(path).resolve()
    class_names = _class_names(root / "classes.txt")
    ignored = ignored_among(class_names, ignore)
    trees = {split: tree for split, tree in split_folders(root).items() if tree is not None}
    if "train" not in trees and (for_training or not trees or (root / "images").is_dir()):
        trees["train"] = root
    pairs = {split: _pairs(tree) for split, tree in trees.items()}
    shapes, values = {}, {}
    for split in pairs:
        pairs[split] = _whole(pairs[split], shapes, values, len(class_names), strict)
    _hold_out(root, pairs, warn=for_training and trees.get("train") != root)
    if for_training:
        _check_training(root, pairs)
        _check_occurrence(root, pairs["train"], values, class_names, ignored)
    return _data(root, class_names, ignored, pairs, shapes)


def _class_names(path):
    if not path.is_file():
        raise FileNotFoundError(
            f"There is no {path}, which must name the classes, one per line, in the order of the "
            "masks' values."
        )
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} must be text in UTF-8 ({error}).") from error
    names = [line.strip() for line in text.splitlines()]
    while names and not names[-1]:
        names.pop()
    if "" in names or len(set(names)) < len(names) or not names:
        raise UsageError(
            f"{path} must have a different name in every line; got {', '.join(names) or 'nothing'}."
        )
    return tuple(names)


def _pairs(tree):
    """`[(image, mask)]` of a split, by name."""
    for name in ("images", "masks"):
        if not (tree / name).is_dir():
            raise FileNotFoundError(f"There is no folder {tree / name}.")
    found = {}
    for name in ("images", "masks"):
        folder = tree / name
        found[name] = {}
        for path in image_files(folder):
            key = path.relative_to(folder).with_suffix("").as_posix()
            if key in found[name]:
                raise UsageError(f"{path} has the name of {found[name][key]}.")
            found[name][key] = path
    images, masks = found["images"], found["masks"]
    for what, lonely in (
        ("mask", [path for key, path in images.items() if key not in masks]),
        ("image", [path for key, path in masks.items() if key not in images]),
    ):
        if lonely:
            raise UsageError(
                f"Every image needs a mask of its name, and every mask an image; there is no "
                f"{what} for {_listed(lonely)}."
            )
    if not images:
        raise UsageError(f"{tree / 'images'} must have images ({', '.join(SUFFIXES)}); got none.")
    return [(images[key], masks[key]) for key in sorted(images)]


def _listed(faults):
    more = f" and {len(faults) - _NAMED} more" if len(faults) > _NAMED else ""
    return ", ".join(str(fault) for fault in faults[:_NAMED]) + more


def _whole(pairs, shapes, values, classes, strict):
    """The readable pairs; notes the shape of each image and the values of its mask."""

    def facts(pair):
        mask = read_mask(pair[1])
        return read_image(pair[0]).shape, mask.shape, np.unique(mask)

    found, wrong_size, stray = readable(pairs, facts, strict), [], []
    for (image, mask), (shape, mask_shape, present) in found.items():
        if mask_shape != shape[:2]:
            wrong_size.append((mask, mask_shape, shape[:2]))
        outside = present[(present >= classes) & (present != IGNORED)]
        if len(outside):
            stray.append((mask, outside))
        shapes[image], values[image] = shape, present
    if wrong_size:
        found = (
            f"{_times(got)} for {_times(wanted)} in {mask}" for mask, got, wanted in wrong_size
        )
        raise UsageError(f"A mask must have the size of its image; got {_listed(list(found))}.")
    if stray:
        found = (f"{' and '.join(map(str, outside[:5]))} in {mask}" for mask, outside in stray)
        raise UsageError(
            f"Masks must have the numbers of classes.txt, 0 to {classes - 1}, or 255 for "
            f"ignored pixels; got {_listed(list(found))}."
        )
    return list(found)


def _times(size):
    return f"{size[1]}x{size[0]}"


def _hold_out(root, pairs, warn):
    """Cuts what is missing of validation and test from training."""
    masks = dict(pair for split in pairs.values() for pair in split)
    train = pairs.setdefault("train", [])
    for split in ("validation", "test"):
        if split not in pairs:
            images = [image for image, _ in train]
            kept, held_out = cut(images, root)
            train = pairs["train"] = [(image, masks[image]) for image in kept]
            pairs[split] = [(image, masks[image]) for image in held_out]
            if warn and held_out:
                warnings.warn(
                    f"{root} has no {split} split: {len(held_out)} of its {len(images)} training "
                    "images are held out for it.",
                    HeldOutWarning,
                    stacklevel=2,
                )


def _check_training(root, pairs):
    if not pairs["validation"] or not pairs["train"]:
        raise UsageError(
            f"{root} must have at least two images to train on, so that one can be kept for "
            f"validation, or a validation split; got {len(pairs['train'])} that can be read, and "
            f"{len(pairs['validation'])} for validation."
        )


def _check_occurrence(root, train, values, class_names, ignored):
    scored = {i for i, name in enumerate(class_names) if name not in ignored}
    found = {int(value) for image, _ in train for value in values[image]} & scored
    if len(found) < 2:
        only = ", ".join(class_names[i] for i in sorted(found)) or "none"
        hint = ""
        if any(IGNORED in values[image] for image, _ in train):
            hint = " (255 is ignored; a mask of two classes has 0 and 1)"
        raise UsageError(
            f"The training masks of {root} must show at least two classes; got {only}{hint}."
        )
    empty = [class_names[i] for i in sorted(scored - found)]
    if empty:
        raise UsageError(
            f"Every class of {root / 'classes.txt'} must occur in a training mask, or be ignored; "
            f"there is no {', '.join(empty)} in {len(train)} masks."
        )


def _data(root, class_names, ignored, pairs, shapes):
    sizes = {shape[:2] for shape in shapes.values()}
    size = sizes.pop() if len(sizes) == 1 else (None, None)
    channels = max((shape[2] for shape in shapes.values()), default=3)

    def decode(image, mask):
        image = tf.numpy_function(
            lambda path: read_image(os.fsdecode(path), channels), [image], tf.uint8, stateful=False
        )
        mask = tf.numpy_function(
            lambda path: read_mask(os.fsdecode(path)), [mask], tf.uint8, stateful=False
        )
        image.set_shape((*size, channels))
        mask.set_shape(size)
        return image, mask

    elements = {}
    for split in SPLITS:
        columns = [[os.fsencode(pair[i]) for pair in pairs[split]] for i in (0, 1)]
        elements[split] = tf.data.Dataset.from_tensor_slices(
            tuple(tf.constant(column, tf.string, (len(column),)) for column in columns)
        )
    return SegmentationData(
        name=str(root),
        class_names=class_names,
        ignored=ignored,
        stored_shape=(*size, channels),
        elements=elements,
        decode=decode,
        num_examples={split: len(pairs[split]) for split in SPLITS},
        num_pixels={
            split: sum(math.prod(shapes[image][:2]) for image, _ in pairs[split])
            for split in SPLITS
        },
        file_names={
            split: tuple(printable(image.relative_to(root).as_posix()) for image, _ in pairs[split])
            for split in SPLITS
        },
    )
