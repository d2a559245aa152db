"""COCO annotations: polygons and run lengths in JSON files, drawn as masks on reading."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kerascnn.arguments import UsageError
from kerascnn.data.class_tables import ClassTable
from kerascnn.data.file_tree import IMAGE_FOLDERS, composed, find_images, is_junk
from kerascnn.data.splits import SPLITS, split_of

_BACKGROUND = "background"


@dataclass(frozen=True, eq=False)
class DrawnMask:
    """The mask of an image, drawn from its annotations.

    Args:
        path: path of the annotation file, for messages.
        image: str, the name of the image, for messages.
        size: `(height, width)`.
        shapes: tuple of `(class, segmentation)` in drawing order.
    """

    path: Path
    image: str
    size: tuple[int, int]
    shapes: tuple[tuple[int, Any], ...]

    def __str__(self):
        return str(self.path)

    def draw(self):
        """Returns a uint8 array `(height, width)` of class indices.

        Raises:
            UsageError: if a segmentation is neither polygons nor run lengths of the image's size.
        """
        result = np.zeros(self.size, np.uint8)
        for number, segmentation in self.shapes:
            try:
                result[_drawn(segmentation, self.size)] = number
            except Exception as error:  # pycocotools raises all kinds, `Exception` too
                raise UsageError(
                    f"{self.path} must have polygons or run lengths of {self.size[0]}x"
                    f"{self.size[1]} pixels for {self.image}; got others ({error}). Export it "
                    "again."
                ) from error
        return result


def _drawn(segmentation, size):
    """Returns the pixels of a segmentation as a bool array."""
    masks = _pycocotools()
    if isinstance(segmentation, list):
        runs = masks.merge(masks.frPyObjects(segmentation, *size))
    elif isinstance(segmentation["counts"], list):
        runs = masks.frPyObjects(segmentation, *size)
    else:
        runs = segmentation
    pixels = masks.decode(runs)
    # Runs that are too short leave pixels as the memory was.
    if pixels.shape != tuple(size) or pixels.sum(dtype=np.int64) != masks.area(runs):
        raise ValueError("wrong number of pixels")
    return pixels.astype(bool)


def coco(root):
    """Reads images with COCO annotations, or returns `None` if there are none.

    The annotations are in `annotations/*.json` with the split in the name (`instances_train2017`),
    or next to the images of a split (`train/_annotations.coco.json`). Pixels without an annotation
    belong to the class `background`; small objects are drawn over large ones.

    Raises:
        UsageError: if a file does not have this format, or has no segmentations.
        RuntimeError: if pycocotools is not installed.
    """
    from kerascnn.data.mask_layouts import MaskLayout

    files = _files(root)
    if not files:
        return None
    _pycocotools()
    contents = {split: (path, _content(path)) for split, path in files.items()}
    categories = {}
    for path, content in contents.values():
        used = {item["category_id"] for item in content["annotations"]}
        for item in content["categories"]:
            if (
                item["id"] in used
                and categories.setdefault(item["id"], item["name"]) != item["name"]
            ):
                raise UsageError(
                    f"{path} must have the categories of the other splits; got {item['name']!r} "
                    f"for {categories[item['id']]!r}, number {item['id']}. Export all splits again."
                )
    ids = sorted(categories)
    numbers = {key: i + 1 for i, key in enumerate(ids)}
    names = (_BACKGROUND, *(composed(str(categories[key])) for key in ids))
    pairs, sources, missing, used = {}, {}, [], {}
    found = find_images(root)
    index = {}
    for path in found.images:
        index.setdefault(composed(path.name), []).append(path)
    for split, (path, content) in contents.items():
        pairs[split] = []
        for image, mask in _masks(path, content, numbers):
            file = _file(path, image, index)
            if file is None:
                missing.append(image)
            elif used.setdefault(file, image) != image:
                raise UsageError(
                    f"{path} must name each image once; got {used[file]!r} and {image!r}, which "
                    f"both can only be {file}. Copy the missing image, or remove its entry."
                )
            else:
                pairs[split].append((file, mask))
        sources[split] = path.relative_to(root).as_posix()
    others = [path for path in found.images if path not in used]
    others += [path for path in found.others if path.suffix != ".json"]
    notes = []
    if missing:
        notes.append(f"{len(missing):,} annotated images are missing; the first is {missing[0]}")
    if not any(pairs.values()):
        raise UsageError(
            f"{root} must have the images that {next(iter(files.values()))} names; got none of "
            f"{len(missing):,}, such as {missing[0] if missing else 'none'}. Move them there: "
            f"`mv IMAGES {root}/images`."
        )
    return MaskLayout(
        "COCO annotations", pairs, sources, ClassTable(root, names), others=tuple(others),
        notes=tuple(notes), published=True,
    )  # fmt: skip


def _files(root):
    """Returns `{split: path}` of the annotation files."""
    found = {}
    for path in sorted(root.glob("annotations/*.json")):
        stem = path.stem.casefold()
        if is_junk(path.name) or any(
            part in stem for part in ("caption", "keypoint", "stuff", "panoptic")
        ):
            continue
        words = stem.replace("2014", "").replace("2017", "").split("_")
        split = next((split_of(word) for word in reversed(words) if split_of(word)), "train")
        found.setdefault(split, path)
    for path in sorted(
        (*root.glob("*/_annotations.coco.json"), *root.glob("_annotations.coco.json"))
    ):
        found.setdefault(split_of(path.parent.name) or "train", path)
    if not found:
        for path in sorted(root.glob("*.json")):
            with open(path, "rb") as file:
                if (
                    b'"annotations"' in file.read(2**20)
                    or b'"segmentation"' in path.read_bytes()[-(2**20) :]
                ):
                    found.setdefault(split_of(path.stem.rpartition("_")[2]) or "train", path)
    return {split: found[split] for split in SPLITS if split in found}


def _content(path):
    try:
        content = json.loads(path.read_text("utf-8"))
        images, annotations = content["images"], content["annotations"]
        for image in images:
            hash(image["id"])
            composed(image["file_name"])
            if min(int(image["height"]), int(image["width"])) < 1:
                raise ValueError(f"an image of {image['height']}x{image['width']} pixels")
        known = {category["id"]: category["name"] for category in content["categories"]}
        for annotation in annotations:
            hash(annotation["image_id"]), float(annotation.get("area") or 0)
        unknown = {annotation["category_id"] for annotation in annotations} - known.keys()
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        ArithmeticError,
        RecursionError,
    ) as error:
        raise UsageError(
            f"{path} must be COCO annotations with images, annotations and categories "
            f"({type(error).__name__}: {error}). Export it again in the format `COCO`."
        ) from error
    if unknown:
        raise UsageError(
            f"{path} must have each category of its annotations in `categories`; there is no "
            f"category {min(unknown, key=str)!r}. Export it again."
        )
    if not any(item.get("segmentation") for item in annotations):
        raise UsageError(
            f"{path} must have segmentations (polygons or run lengths); got boxes only. Export it "
            "again with `segmentation`."
        )
    return content


def _masks(path, content, numbers):
    """Yields `(file name, mask)`; large objects are drawn first."""
    shapes = {}
    for item in content["annotations"]:
        segmentation = _with_area(item.get("segmentation"))
        if segmentation:
            item = {**item, "segmentation": segmentation}
            shapes.setdefault(item["image_id"], []).append(item)
    for image in content["images"]:
        items = sorted(shapes.get(image["id"], ()), key=lambda item: -float(item.get("area") or 0))
        drawn = tuple((numbers[item["category_id"]], item["segmentation"]) for item in items)
        name = image["file_name"]
        yield (
            name,
            DrawnMask(path, name, (int(image["height"]), int(image["width"])), drawn),
        )


def _with_area(segmentation):
    """Leaves out polygons of fewer than three points, which tools write for a click or a line."""
    if not isinstance(segmentation, list):
        return segmentation
    return [part for part in segmentation if not isinstance(part, list) or len(part) >= 6]


def _file(path, name, index):
    """Returns an image file: next to the annotations, in the split's folder, or elsewhere.

    Raises:
        UsageError: if several files could be meant.
    """
    name = composed(name.replace("\\", "/"))
    found = index.get(name.rpartition("/")[2], [])
    year = path.stem.rpartition("_")[2]
    split = split_of(year)
    for is_meant in (
        lambda file: "/" in name and composed(file.as_posix()).endswith("/" + name.lstrip("/")),
        lambda file: file.parent == path.parent,
        lambda file: file.parent.name == year,
        lambda file: split is not None and split_of(file.parent.name) == split,
        lambda file: file.parent.name.casefold() in IMAGE_FOLDERS,
    ):
        if len(found) > 1:
            found = [file for file in found if is_meant(file)] or found
    if len(found) > 1:
        raise UsageError(
            f"{path} must name images so that one file fits; got {name!r} for {found[0]} and "
            f"{found[1]}. Write the folder in `file_name`, or move other images elsewhere."
        )
    return found[0] if found else None


def _pycocotools():
    try:
        from pycocotools import mask
    except ImportError as error:
        raise RuntimeError(
            "COCO annotations need pycocotools: `pip install 'kerascnn[coco]'`."
        ) from error
    return mask
