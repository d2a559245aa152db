"""A folder of images without labels."""

from dataclasses import replace
from pathlib import Path

from kerascnn.arguments import UsageError
from kerascnn.data.file_tree import (
    SUFFIXES,
    composed,
    find_images,
    has_images,
    left_out,
    subfolders,
)
from kerascnn.data.fingerprint import fingerprint
from kerascnn.data.images import UnreadableImageError, read_image
from kerascnn.data.readable import readable
from kerascnn.data.report import Report
from kerascnn.data.scan import check_images, check_ranges, describe_images, facts_of, value_ranges
from kerascnn.data.splits import SPLITS, cut, innermost, split_folders, split_of
from kerascnn.data.upscaling import StoredImage, UpscalingData
from kerascnn.storage.printable import printable


def image_folder(path, strict=False, smallest=1, max_pixels=None, known_ranges=None):
    """Finds the images of a folder and reads each once; arguments as in `load_upscaling`.

    Raises:
        UsageError: if there are no images that are large enough, or images to test on but none
            to train on.
        UnreadableImageError: if `strict` and an image is broken.
    """
    root = Path(path).resolve()
    name, trees, notes = _trees(root)
    files, sources, others, facts = {}, {}, [], {}
    for split, folders in trees.items():
        images = []
        for folder in folders:
            found = find_images(folder)
            images += found.images
            others += found.others
        files[split] = _usable(images, facts, strict, smallest, max_pixels)
        where = folders[0].relative_to(root).as_posix()
        sources[split] = "" if where == "." else f"{where}/"
    if not any(files.values()):
        raise UsageError(
            f"{root} must have images of at least {smallest}x{smallest} pixels "
            f"({', '.join(SUFFIXES)}); got none."
        )
    for split in ("validation", "test"):
        if split not in files:
            files["train"], files[split] = cut(files["train"], root)
            sources[split] = "a tenth"
    check_images(root, files, facts)
    used = [facts[path] for split in SPLITS for path in files[split]]
    ranges = known_ranges
    if ranges is None:
        ranges = value_ranges([facts[path] for path in files["train"]], used)
    check_ranges(root, used, ranges)
    if others:
        notes.append(left_out(others, root))

    def stored(path):
        name = printable(path.relative_to(root).as_posix())
        return StoredImage(
            name, facts[path].shape[:2], lambda: read_image(path, 3, max_pixels, ranges)
        )

    data = UpscalingData(
        str(root), {split: tuple(map(stored, files[split])) for split in SPLITS}, smallest
    )
    report = Report(
        layout=name,
        splits=sources,
        counts=data.num_examples,
        images=describe_images(used, ranges),
        notes=tuple(map(printable, notes)),
        value_ranges=ranges,
        fingerprint=fingerprint(
            (split, composed(path.relative_to(root).as_posix()), facts[path].digest)
            for split in SPLITS
            for path in files[split]
        ),
    )
    return replace(data, report=report)


def _trees(root):
    """Returns the name of the layout, `{split: folders}` and notes."""
    inner = innermost(root, lambda folder: len(subfolders(folder)) != 1)
    for place in dict.fromkeys((root, inner)):
        pairs = _div2k(place)
        if pairs is not None:
            return "DIV2K", *pairs
    trees = split_folders(root) or split_folders(inner)
    if "train" in trees:
        place = root if split_folders(root) else inner
        used = [folder for folders in trees.values() for folder in folders]
        notes = [
            f"{entry.name}/ is left out: its {len(find_images(entry).images):,} images are in no "
            "split."
            for entry in subfolders(place)
            if not any(entry == folder or entry in folder.parents for folder in used)
            and has_images(entry)
        ]
        return "images in folders of splits", trees, notes
    if trees:
        name = next(iter(trees.values()))[0].name
        raise UsageError(
            f"{root} must have a train folder next to {name}; there is none. "
            f"Make it: `mkdir {root}/train`, and move the images to train on there."
        )
    return "images", {"train": [root]}, []


def _div2k(root):
    """Folders `DIV2K_train_HR`, `DIV2K_valid_HR`; images of low resolution are made, not read."""
    trees, low = {}, []
    for entry in subfolders(root):
        parts = entry.name.split("_")
        split = next((split_of(part) for part in parts if split_of(part)), None)
        if parts[-1].upper() == "HR" and split:
            inside = subfolders(entry)
            alone = len(inside) == 1 and inside[0].name == entry.name
            trees.setdefault(split, []).append(inside[0] if alone else entry)
        elif "LR" in (part.upper() for part in parts):
            low.append(entry)
    if "train" not in trees:
        return None
    notes = []
    if low:
        names = ", ".join(f"{entry.name}/" for entry in low)
        notes = [f"{names} are left out: images of low resolution are made from the others."]
    return {split: trees[split] for split in SPLITS if split in trees}, notes


def _usable(paths, facts, strict, smallest, max_pixels):
    """Returns the readable images that are large enough; notes what is known of each in `facts`."""

    def read(path):
        found = facts_of(path, max_pixels)
        height, width = found.shape[:2]
        if min(height, width) < smallest:
            raise UsageError(
                f"{path} must be at least {smallest} pixels high and wide; got {height}x{width}."
            )
        return found

    found = readable(paths, read, strict, (UnreadableImageError, UsageError))
    facts |= found
    return list(found)
