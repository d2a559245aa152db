"""A folder of labeled images, in one of the arrangements that people have them in."""

import os
import warnings
from pathlib import Path

import numpy as np
import tensorflow as tf

from kerascnn.arguments import UsageError
from kerascnn.data.class_layouts import ClassLayout, class_folders
from kerascnn.data.classification import ClassificationData
from kerascnn.data.csv_labels import csv_labels
from kerascnn.data.file_tree import SUFFIXES, composed, left_out, names_below
from kerascnn.data.fingerprint import fingerprint
from kerascnn.data.images import read_image
from kerascnn.data.jpeg import read_plain_jpeg
from kerascnn.data.oxford_pets import is_oxford_pets, listed
from kerascnn.data.report import Report
from kerascnn.data.scan import (
    FolderWarning,
    check_images,
    check_ranges,
    common_shape,
    describe_images,
    read_facts,
    value_ranges,
)
from kerascnn.data.splits import SPLITS, cut
from kerascnn.storage.printable import printable

# With so many times fewer images, a class is hardly learned and hardly seen in the accuracy.
_IMBALANCE = 10
_NAMED = 3


def class_folder(path, strict=False, max_pixels=None, known_ranges=None):
    """Finds the images of a folder and reads each once, to find broken ones.

    Read are folders of classes (also in or around folders of splits), a CSV file of files and
    labels next to the images, and the Oxford pets. A missing validation or test split is cut from
    training: a tenth of every class, at least one image, chosen by a hash of the file's name, so
    that it is the same on every machine, and nearly the same when images are added.

    Args:
        path: str or path.
        strict: bool, whether a broken image is an error; otherwise it is skipped with a
            `SkippedImageWarning`.
        max_pixels: int, as in `kerascnn.data.read_image`.
        known_ranges: optional `{type: (low, high)}` that images are scaled by, as in `read_image`;
            by default what the training images need.

    Raises:
        UsageError: if there are fewer than two classes with images, a split has other classes, or
            all images are alike.
        UnreadableImageError: if `strict` and an image is broken.
    """
    root = Path(path).resolve()
    layout = _oxford_pets(root) or csv_labels(root) or class_folders(root)
    every = [path for by_class in layout.files.values() for images in by_class for path in images]
    facts = read_facts(every, max_pixels, strict)
    files = {
        split: [[path for path in images if path in facts] for images in by_class]
        for split, by_class in layout.files.items()
    }
    for name, images in zip(layout.class_names, files["train"], strict=True):
        if not images:
            raise UsageError(
                f"{root} must have training images ({', '.join(SUFFIXES)}) of every class; got "
                f"none of {name!r}. Remove the folder or add images."
            )
    sources = dict(layout.sources)
    for split in ("validation", "test"):
        if split not in files:
            cuts = [cut(images, root) for images in files["train"]]
            files["train"] = [kept for kept, _ in cuts]
            files[split] = [held_out for _, held_out in cuts]
            sources[split] = "a tenth of each class"
    if not any(files["validation"]):
        raise UsageError(
            f"{root} must have at least two images of some class, so that one can be kept for "
            f"validation; got {sum(map(len, files['train']))} images of "
            f"{len(layout.class_names)} classes."
        )
    flat = {split: [path for images in files[split] for path in images] for split in SPLITS}
    check_images(root, flat, facts)
    _check_labels(root, files, facts)
    _warn_of_counts(root, files, layout.class_names)
    used = [facts[path] for split in SPLITS for path in flat[split]]
    ranges = known_ranges
    if ranges is None:
        ranges = value_ranges([facts[path] for path in flat["train"]], used)
    check_ranges(root, used, ranges)
    notes = [f"{note}." for note in layout.notes]
    if layout.others:
        notes.append(left_out(layout.others, root))
    report = Report(
        layout=layout.name,
        splits=sources,
        counts={split: len(flat[split]) for split in SPLITS},
        classes={
            printable(name): sum(len(files[split][i]) for split in SPLITS)
            for i, name in enumerate(layout.class_names)
        },
        images=describe_images(used, ranges),
        notes=tuple(map(printable, notes)),
        value_ranges=ranges,
        fingerprint=fingerprint(
            (split, composed(path.relative_to(root).as_posix()), facts[path].digest, label)
            for split in SPLITS
            for label, images in enumerate(files[split])
            for path in images
        ),
    )
    return _data(root, layout.class_names, files, facts, ranges, max_pixels, report)


def _oxford_pets(root):
    if not is_oxford_pets(root):
        return None
    splits, others = listed(root)
    class_names = sorted({breed for pairs in splits.values() for _, breed in pairs})
    files = {
        split: [[image for image, breed in pairs if breed == name] for name in class_names]
        for split, pairs in splits.items()
    }
    sources = {"train": "trainval.txt", "test": "test.txt"} if len(files) > 1 else {}
    return ClassLayout("Oxford pets", tuple(class_names), files, sources, tuple(others))


def _check_labels(root, files, facts):
    """Says which images are in two classes with equal pixels."""
    first, wrong = {}, []
    for split in SPLITS:
        for i, images in enumerate(files[split]):
            for path in images:
                label, other = first.setdefault(facts[path].digest, (i, path))
                if label != i:
                    wrong.append(f"{other.relative_to(root)} and {path.relative_to(root)}")
    if wrong:
        more = f" and {len(wrong) - _NAMED:,} more" if len(wrong) > _NAMED else ""
        warnings.warn(
            f"{len(wrong):,} images of {root} have equal pixels in two classes: "
            f"{'; '.join(wrong[:_NAMED])}{more}. Delete the wrong ones.",
            FolderWarning,
            stacklevel=3,
        )


def _warn_of_counts(root, files, class_names):
    counts = {
        printable(name): sum(len(files[split][i]) for split in SPLITS)
        for i, name in enumerate(class_names)
    }
    most, least = (f(counts, key=counts.__getitem__) for f in (max, min))
    if counts[most] >= _IMBALANCE * counts[least]:
        warnings.warn(
            f"The classes of {root} differ much in size, from {least} with {counts[least]:,} to "
            f"{most} with {counts[most]:,} images: look at the balanced accuracy, and try "
            "`--class-weights` or `--balance`.",
            FolderWarning,
            stacklevel=3,
        )
    without = {}
    for split in ("validation", "test"):
        for name, images in zip(counts, files[split], strict=True):
            if not images and any(files[split]):
                without.setdefault(name, []).append(split)
    if without:
        named = [f"{name} ({' and '.join(splits)})" for name, splits in without.items()]
        more = f" and {len(named) - _NAMED:,} more" if len(named) > _NAMED else ""
        warnings.warn(
            f"There are classes of {root} without an image to measure how well they are learned: "
            f"{', '.join(named[:_NAMED])}{more}.",
            FolderWarning,
            stacklevel=3,
        )


def _data(root, class_names, files, facts, ranges, max_pixels, report):
    used = [facts[path] for by_class in files.values() for images in by_class for path in images]
    *size, channels = common_shape(used)

    def read(path):
        return read_image(os.fsdecode(path), channels, max_pixels, ranges)

    def read_other(path):
        return tf.numpy_function(read, [path], tf.uint8, stateful=False)

    kinds = {fact.plain for fact in used}

    def decode(path, plain, label):
        if kinds == {True}:
            image = read_plain_jpeg(path, channels)
        elif kinds == {False}:
            image = read_other(path)
        else:
            image = tf.cond(
                plain, lambda: read_plain_jpeg(path, channels), lambda: read_other(path)
            )
        image.set_shape((*size, channels))
        return image, label

    elements, file_names = {}, {}
    for split in SPLITS:
        images = [path for images in files[split] for path in images]
        paths = [os.fsencode(path) for path in images]
        plain = np.array([facts[path].plain for path in images], bool)
        labels = np.repeat(np.arange(len(class_names)), [len(images) for images in files[split]])
        elements[split] = tf.data.Dataset.from_tensor_slices(
            (tf.constant(paths, tf.string, (len(paths),)), plain, labels.astype(np.int64))
        )
        file_names[split] = tuple(map(printable, names_below(images, root)))
    return ClassificationData(
        name=str(root),
        class_names=tuple(map(printable, class_names)),
        stored_shape=(*size, channels),  # pyright: ignore[reportArgumentType]
        elements=elements,
        decode=decode,
        num_examples={split: len(names) for split, names in file_names.items()},
        file_names=file_names,
        report=report,
    )
