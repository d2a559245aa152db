"""Detects the images, masks and splits of a folder."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kerascnn.arguments import UsageError
from kerascnn.data.class_tables import ClassTable, class_table
from kerascnn.data.file_tree import (
    IMAGE_FOLDERS,
    composed,
    find_images,
    has_images,
    images_in,
    subfolders,
)
from kerascnn.data.mask_pairs import listed, paired
from kerascnn.data.oxford_pets import TRIMAP, is_oxford_pets
from kerascnn.data.oxford_pets import listed as listed_pets
from kerascnn.data.published_masks import CITYSCAPES, CITYSCAPES_IDS, VOC, voc_color
from kerascnn.data.splits import SPLITS, innermost, split_folders, split_of

# Folder names, as `IMAGE_FOLDERS`
_MASKS = (
    "masks",
    "mask",
    "labels",
    "label",
    "annotations",
    "annotation",
    "annots",
    "annot",
    "segmentationclass",
    "segmentations",
    "segmentation",
    "gt",
    "groundtruth",
    "targets",
    "target",
    "labeledapprovedfull",
    "labelled",
    "labeled",
    "output",
)
# Suffixes that make the name of a mask folder from its image folder: train, trainannot
_MASK_ENDS = ("annot", "annotations", "labels", "label", "masks", "mask", "gt")


@dataclass(frozen=True)
class MaskLayout:
    """Image files with masks.

    Args:
        name: str, the kind of folder.
        pairs: `{split: [(image, mask)]}`, for each existing split.
        sources: `{split: str}`, the source of each split.
        table: optional `ClassTable`.
        values: optional `{number in a mask: class}`; by default the number is the class index.
        ignored: names of classes that are not scored.
        others: paths of files that are left out.
        notes: messages for the user.
        published: bool, whether the classes belong to a published dataset, where some may not
            occur.
    """

    name: str
    pairs: Mapping[str, list[tuple[Path, Any]]]
    sources: Mapping[str, str]
    table: ClassTable | None
    values: Mapping[int, int] | None = None
    ignored: tuple[str, ...] = ()
    others: tuple[Path, ...] = ()
    notes: tuple[str, ...] = field(default=())
    published: bool = False


def mask_layout(root, for_training=True):
    """Returns the `MaskLayout` of a folder.

    Args:
        root: path.
        for_training: bool, whether training images are required.

    Raises:
        FileNotFoundError: if there are no folders of images and masks.
        UsageError: if images and masks do not match.
    """
    from kerascnn.data.coco import coco

    inner = innermost(root, lambda folder: len(subfolders(folder)) != 1)
    for recognize in (_voc, _cityscapes, _oxford_pets, coco, _ade20k):
        for place in dict.fromkeys((root, inner)):
            found = recognize(place)
            if found is not None:
                return found
    own = inner if _pair(inner) or split_folders(inner) else root
    return _own(own, dict.fromkeys((own, root)), for_training)


def _voc(root):
    lists = root / "ImageSets" / "Segmentation"
    if not ((root / "JPEGImages").is_dir() and (root / "SegmentationClass").is_dir()):
        return None
    images = {composed(p.stem): p for p in find_images(root / "JPEGImages").images}
    masks = {composed(p.stem): p for p in find_images(root / "SegmentationClass").images}
    table = class_table([root])
    if table is None:
        colors = tuple(map(voc_color, range(len(VOC))))
        table = ClassTable(root, tuple(VOC), colors)
    names = {"train": "train.txt", "validation": "val.txt", "test": "test.txt"}
    splits, sources, missing = {}, {}, []
    for split, name in names.items():
        if not (lists / name).is_file():
            continue
        stems = [
            composed(line.split()[0])
            for line in (lists / name).read_text("utf-8").split("\n")
            if line.strip()
        ]
        both = [stem for stem in stems if stem in images and stem in masks]
        missing += [stem for stem in stems if stem not in both]
        if both:
            splits[split] = [(images[stem], masks[stem]) for stem in both]
            sources[split] = f"ImageSets/Segmentation/{name}"
    if not splits:
        splits = {"train": [(images[s], masks[s]) for s in sorted(images.keys() & masks.keys())]}
    used = {path for pairs in splits.values() for pair in pairs for path in pair}
    others = [path for path in (*images.values(), *masks.values()) if path not in used]
    notes = []
    if missing:
        notes.append(
            f"{len(missing):,} names in the lists have no image or no mask: {listed(missing)}"
        )
    return MaskLayout(
        "Pascal VOC",
        splits,
        sources,
        table,
        others=tuple(sorted(others)),
        notes=tuple(notes),
        published=True,
    )


def _cityscapes(root):
    images, masks = root / "leftImg8bit", root / "gtFine"
    if not (images.is_dir() and masks.is_dir()):
        return None
    found = {composed(p.relative_to(masks).as_posix()): p for p in find_images(masks).images}
    trained = any(name.endswith("_labelTrainIds.png") for name in found)
    end = "_gtFine_labelTrainIds.png" if trained else "_gtFine_labelIds.png"
    pairs, sources, notes, lonely = {}, {}, [], []
    for split, folders in split_folders(images).items():
        for folder in folders:
            for image in find_images(folder).images:
                key = composed(image.relative_to(images).as_posix())
                mask = found.get(key.rpartition("_leftImg8bit")[0] + end)
                if mask is None:
                    lonely.append(image)
                elif split != "test":  # the published test masks are empty
                    pairs.setdefault(split, []).append((image, mask))
                    sources[split] = f"leftImg8bit/{folder.name}/"
    if lonely and not pairs:
        raise UsageError(
            f"Every image of {images} needs a mask `…{end}` in {masks}; there is none for "
            f"{listed(lonely)}. Unpack gtFine there: `unzip gtFine_trainvaltest.zip -d {root}`."
        )
    if lonely:
        notes.append(f"{len(lonely):,} images without a mask are left out: {listed(lonely)}")
    if (images / "test").is_dir():
        notes.append("leftImg8bit/test/ is left out, because its masks are not published")
    values = (
        None if trained else CITYSCAPES_IDS | {i: 255 for i in range(34) if i not in CITYSCAPES_IDS}
    )
    return MaskLayout(
        "Cityscapes (" + ("train ids" if trained else "ids, turned into train ids") + ")",
        pairs,
        sources,
        ClassTable(root, tuple(CITYSCAPES)),
        values=values,
        notes=tuple(notes),
        published=True,
    )


def _oxford_pets(root):
    trimaps = root / "annotations" / "trimaps"
    if not (is_oxford_pets(root) and trimaps.is_dir()):
        return None
    masks = {path.stem: path for path in find_images(trimaps).images}
    splits, others = listed_pets(root)
    pairs = {
        split: [(image, masks[image.stem]) for image, _ in found if image.stem in masks]
        for split, found in splits.items()
    }
    sources = {"train": "trainval.txt", "test": "test.txt"} if len(pairs) > 1 else {}
    return MaskLayout(
        "Oxford pets",
        pairs,
        sources,
        ClassTable(root, TRIMAP),
        ignored=("none",),
        others=tuple(others),
        published=True,
    )


def _ade20k(root):
    images, masks = root / "images", root / "annotations"
    if not (images.is_dir() and masks.is_dir()):
        return None
    splits, of_masks = split_folders(images), split_folders(masks)
    published = (root / "objectInfo150.txt").is_file()
    if not splits or splits.keys() != of_masks.keys() or "train" not in splits:
        return None
    if not (published or (images / "training").is_dir()):
        return None
    pairs, sources, others, notes = {}, {}, [], []
    for split in splits:
        pairs[split], more, said = paired(splits[split], of_masks[split])
        sources[split] = f"images/{splits[split][0].name}/"
        others += more
        notes += said
    table = class_table([root])
    return MaskLayout(
        "ADE20K (0 is ignored, classes from 1)",
        pairs,
        sources,
        table,
        values={0: 255, **{i + 1: i for i in range(len(table.names))}} if table else None,
        others=tuple(others),
        notes=tuple(dict.fromkeys(notes)),
        published=published,
    )


def _own(root, places, for_training):
    pairs, sources, others, notes = {}, {}, [], []
    trees = _trees(root, for_training)
    for split, (images, masks) in trees.items():
        pairs[split], more, said = paired(images, masks)
        others += more
        notes += said
        whole = images[0].parent == root and split_of(images[0].name) is None
        sources[split] = "" if whole else images[0].relative_to(root).as_posix() + "/"
    used = {folder for images, masks in trees.values() for folder in (*images, *masks)}
    for entry in subfolders(root):
        inside = [folder for folder in used if folder == entry or entry in folder.parents]
        if not inside and has_images(entry):
            count = len(find_images(entry).images)
            notes.append(f"{entry.name}/ is left out: its {count:,} images are in no split")
    others += images_in(root)
    return MaskLayout(
        "images and masks",
        pairs,
        sources,
        class_table(places),
        others=tuple(others),
        notes=tuple(dict.fromkeys(notes)),
    )


def _trees(root, for_training):
    """Returns `{split: (image folders, mask folders)}`."""
    trees = {}
    for split, folders in split_folders(root).items():
        inside = [_pair(folder) for folder in folders]
        if all(inside):
            trees[split] = ([pair[0] for pair in inside], [pair[1] for pair in inside])
        else:
            besides = [_mask_folder_of(folder) for folder in folders]
            if all(besides):
                trees[split] = (folders, besides)
            elif split_folders(root).keys() <= {split}:
                _missing(folders[0])
    pair = _pair(root)
    if pair is not None:
        images, masks = split_folders(pair[0]), split_folders(pair[1])
        if images and images.keys() == masks.keys():
            return {split: (images[split], masks[split]) for split in images}
        if images.keys() != masks.keys() and images:
            raise UsageError(
                f"{pair[0]} and {pair[1]} must have folders of the same splits; got "
                f"{', '.join(images) or 'none'} and {', '.join(masks) or 'none'}. Make the others: "
                f"`mkdir {pair[1]}/{next(iter(images))}`."
            )
        if "train" not in trees:
            trees["train"] = ([pair[0]], [pair[1]])
    if "train" not in trees and (for_training or not trees):
        _missing(root if "train" not in split_folders(root) else split_folders(root)["train"][0])
    for split, folders in split_folders(root).items():
        if split not in trees and any(map(has_images, folders)):
            _missing(folders[0])
    return {split: trees[split] for split in SPLITS if split in trees}


def _missing(folder):
    names = ("images", "masks")
    if _named(folder, IMAGE_FOLDERS) is not None:
        names = ("masks",)
    raise FileNotFoundError(
        f"There is no folder {folder / names[0]}. Images and masks are in two folders: "
        f"`mkdir {' '.join(str(folder / name) for name in names)}`."
    )


def _pair(folder):
    """Returns the folders of the images and of the masks in a folder, or `None`."""
    images, masks = _named(folder, IMAGE_FOLDERS), _named(folder, _MASKS)
    return None if images is None or masks is None else (images, masks)


def _named(folder, names):
    known = {re.sub(r"[\W_]+", "", entry.name.casefold()): entry for entry in subfolders(folder)}
    return next((known[name] for name in names if name in known), None)


def _mask_folder_of(folder):
    """Returns the folder of the masks next to a folder of images: `train` and `trainannot`."""
    wanted = {re.sub(r"[\W_]+", "", folder.name.casefold()) + end for end in _MASK_ENDS}
    for entry in subfolders(folder.parent):
        name = re.sub(r"[\W_]+", "", entry.name.casefold())
        if name in wanted and split_of(entry.name) is None:
            return entry
    return None
