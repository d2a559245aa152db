"""Reads a folder of images and masks in one of the common layouts."""

import math
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tensorflow as tf

from kerascnn.arguments import UsageError
from kerascnn.data.class_tables import ClassTable
from kerascnn.data.coco import DrawnMask
from kerascnn.data.file_tree import composed, left_out
from kerascnn.data.fingerprint import fingerprint
from kerascnn.data.images import read_image, upright
from kerascnn.data.mask_checks import (
    check_occurrence,
    check_sizes,
    check_training,
    check_values,
    mask_turns,
    masks_read,
)
from kerascnn.data.mask_errors import sentence_without_classes
from kerascnn.data.mask_layouts import mask_layout
from kerascnn.data.mask_pairs import listed
from kerascnn.data.mask_reading import (
    MaskReading,
    as_text,
    counts_of,
    hexadecimal,
    named_values,
    raw_mask,
)
from kerascnn.data.published_masks import VOC_BORDER
from kerascnn.data.readable import readable
from kerascnn.data.report import Report
from kerascnn.data.scan import (
    check_images,
    check_ranges,
    common_shape,
    describe_images,
    facts_of,
    value_ranges,
)
from kerascnn.data.segmentation import SegmentationData, ignored_among
from kerascnn.data.splits import SPLITS, cut
from kerascnn.ops.ignored import IGNORED
from kerascnn.storage.printable import printable

# Number of masks that are read to detect whether classes are colors.
_PEEKED = 50


class HeldOutWarning(UserWarning):
    """Warns that training images are held out because a split is missing."""


@dataclass(frozen=True)
class MaskOptions:
    """Options for reading a folder of masks.

    Args:
        ignore: optional names of classes to ignore, in addition to classes named `void` or similar.
        values: optional, as `mask_values` of `load_segmentation`.
        colors: optional, as `mask_colors` of `load_segmentation`.
        max_pixels: int, as in `read_image`.
        value_ranges: optional `{type: (low, high)}`, as in `read_image`.
    """

    ignore: Any = None
    values: Any = None
    colors: Any = None
    max_pixels: int | None = None
    value_ranges: Any = None


@dataclass(frozen=True)
class _Pair:
    """Properties of an image and its mask."""

    image: Any
    size: tuple[int, int]
    orientation: int
    raw: Any
    present: frozenset
    strays: tuple
    digest: Any


def mask_folder(path, options=None, strict=False, for_training=True):
    """Finds the image and mask pairs of a folder, and reads each once to find damaged files.

    Supports folders of images and masks (also inside or around split folders) with `classes.txt`,
    Pascal VOC, Cityscapes, CamVid, ADE20K, COCO annotations and the Oxford pets. A missing
    validation or test split is held out from training: a tenth, chosen by a hash of the file name.
    An image and its mask have the same name, except for the suffix and for a part that all names
    share.

    Args:
        path: str or path.
        options: optional `MaskOptions`.
        strict: bool, whether a damaged file is an error; otherwise its pair is skipped with a
            `SkippedImageWarning`.
        for_training: bool, whether images for training and validation are required, with all
            classes in them.

    Raises:
        UsageError: if images and masks do not match in name or size, a mask has a value without a
            class, a class never occurs in training, or there are too few images.
        FileNotFoundError: if the folder lacks class names, images or masks.
        UnreadableImageError: if `strict` and a file is damaged.
    """
    options = options or MaskOptions()
    root = Path(path).resolve()
    layout = mask_layout(root, for_training)
    pairs = dict(layout.pairs)
    table, reading = _reading(root, layout, pairs, options)
    ignored = tuple(dict.fromkeys((*layout.ignored, *ignored_among(table.names, options.ignore))))
    known = _known(pairs, reading, table, options.max_pixels, strict)
    pairs = {split: [pair for pair in found if pair in known] for split, found in pairs.items()}
    turns = mask_turns(root, known)
    check_sizes(known, turns)
    check_values(root, known, reading, table)
    sources = dict(layout.sources)
    _hold_out(root, pairs, sources, warn=for_training and bool(sources.get("train")))
    if for_training:
        check_training(root, pairs)
        train = [known[pair] for pair in pairs["train"]]
        absent = check_occurrence(root, train, table, ignored, layout.published, reading)
    else:
        absent = ()
    facts = {pair[0]: found.image for pair, found in known.items()}
    images = {split: [image for image, _ in pairs[split]] for split in SPLITS}
    if for_training:
        check_images(root, images, facts)
    used = [facts[image] for split in SPLITS for image in images[split]]
    ranges = options.value_ranges
    if ranges is None:
        ranges = value_ranges([facts[image] for image in images["train"]], used)
    check_ranges(root, used, ranges)
    notes = [f"{note}." for note in layout.notes]
    if absent:
        notes.append(f"{listed(absent)} never occur in training masks.")
    if layout.others:
        notes.append(left_out(layout.others, root))
    turned = sum(turn != 1 for turn in turns.values())
    if turned:
        notes.append(f"{turned:,} masks are rotated with their image, by EXIF.")
    report = Report(
        layout=layout.name,
        splits=sources,
        counts={split: len(pairs[split]) for split in SPLITS},
        images=describe_images(used, ranges),
        masks=masks_read(known, reading, table, ignored),
        notes=tuple(map(printable, notes)),
        value_ranges=ranges,
        mask_values=as_text(options.values),
        mask_colors=as_text(options.colors),
        fingerprint=fingerprint(
            (
                split,
                composed(pair[0].relative_to(root).as_posix()),
                known[pair].image.digest,
                known[pair].digest,
            )
            for split in SPLITS
            for pair in pairs[split]
        ),
    )
    plan = _Plan(root, table.names, ignored, reading, options.max_pixels, ranges, report)
    return _data(plan, pairs, turns, facts)


def _reading(root, layout, pairs, options):
    """Returns the `ClassTable` and the `MaskReading` of a folder."""
    values = named_values(options.values, "mask_values")
    colors = named_values(options.colors, "mask_colors")
    if values and colors:
        raise UsageError(
            "Masks are read by `mask_values` or by `mask_colors`; got both. Leave out "
            "`--mask-values`."
        )
    table = layout.table
    given = values or colors
    if given is not None:
        names, numbers, nearest = given
        if names is None and (table is None or len(table.names) != len(numbers)):
            if table is not None:
                raise UsageError(
                    f"`{'mask_values' if values else 'mask_colors'}` must have one entry for each "
                    f"of the {len(table.names)} classes of {table.path}; got {len(numbers)}. Name "
                    f"them: {_named_line(values, numbers)}"
                )
            names = tuple(map(str if values else hexadecimal, numbers))
        table = ClassTable(root, names or table.names, numbers if colors else None)
        mapping = {number: i for i, number in enumerate(numbers)}
        if colors:
            return table, MaskReading(colors=mapping, nearest=nearest)
        return table, MaskReading(values=mapping, nearest=nearest)
    masks = [mask for found in pairs.values() for _, mask in found]
    if table is None:
        raise FileNotFoundError(sentence_without_classes(root, _peek(masks, options.max_pixels)))
    if table.colors and _go_by_color(masks, table.colors, options.max_pixels):
        border = {VOC_BORDER: IGNORED} if layout.name == "Pascal VOC" else {}
        return table, MaskReading(
            colors=border | {color: i for i, color in enumerate(table.colors)}
        )
    return table, MaskReading(values=layout.values)


def _named_line(values, numbers):
    option = "--mask-values" if values else "--mask-colors"
    write = str if values else hexadecimal
    words = ",".join(f"class{i}={write(number)}" for i, number in enumerate(numbers))
    return f"`{option} '{words}'`."


def _peek(masks, max_pixels):
    """Returns the raw masks of the first files that can be read."""
    found = []
    for mask in masks[:_PEEKED]:
        if not isinstance(mask, DrawnMask):
            try:
                found.append(raw_mask(mask, max_pixels))
            except (OSError, UsageError):
                continue
    return found


def _go_by_color(masks, colors, max_pixels):
    """Returns whether masks have colors, or palettes of these colors."""
    for raw in _peek(masks, max_pixels):
        palette = set(raw.palette.values()) - {VOC_BORDER}
        if raw.colored or (len(palette) > 1 and palette <= set(colors)):
            return True
        if not raw.palette and raw.mode == "L" and max(raw.counts) < len(colors):
            return False
    return False


def _known(pairs, reading, table, max_pixels, strict):
    """Reads all pairs: `{(image, mask): _Pair}`."""

    def read(pair):
        image, mask = pair
        facts = facts_of(image, max_pixels)
        if isinstance(mask, DrawnMask):
            if sorted(mask.size) != sorted(facts.shape[:2]):  # which is reported
                return _Pair(facts, mask.size, 1, None, frozenset(), (), ())
            classes = mask.draw()
            present = frozenset(counts_of(classes))
            return _Pair(facts, mask.size, 1, None, present, (), mask.shapes)
        raw = raw_mask(mask, max_pixels, by_color=reading.colors is not None)
        strays = tuple(reading.strays(raw, len(table.names)))
        classes = reading.classes(raw) if not raw.colored or reading.colors else None
        present = frozenset() if classes is None else frozenset(counts_of(classes))
        size = raw.values.shape
        light = replace(raw, values=None)
        return _Pair(facts, size, raw.orientation, light, present, strays, raw.digest)

    return readable([pair for found in pairs.values() for pair in found], read, strict)


def _hold_out(root, pairs, sources, warn):
    """Holds out missing validation and test splits from training."""
    masks = dict(pair for split in pairs.values() for pair in split)
    train = pairs.setdefault("train", [])
    for split in ("validation", "test"):
        if split not in pairs:
            images = [image for image, _ in train]
            kept, held_out = cut(images, root)
            train = pairs["train"] = [(image, masks[image]) for image in kept]
            pairs[split] = [(image, masks[image]) for image in held_out]
            if held_out:
                sources[split] = "a tenth"
            if warn and held_out:
                warnings.warn(
                    f"{root} has no {split} split: it gets {len(held_out)} of the {len(images)} "
                    "training images.",
                    HeldOutWarning,
                    stacklevel=2,
                )


@dataclass(frozen=True)
class _Plan:
    root: Path
    class_names: tuple
    ignored: tuple
    reading: MaskReading
    max_pixels: int | None
    ranges: Any
    report: Report

    def read(self, image, mask, turn, channels):
        """Reads an image and its mask; all pairs are read here."""
        pixels = read_image(image, channels, self.max_pixels, self.ranges)
        if isinstance(mask, DrawnMask):
            return pixels, upright(mask.draw(), turn)
        raw = raw_mask(mask, self.max_pixels, by_color=self.reading.colors is not None)
        return pixels, upright(self.reading.classes(raw), turn)


def _data(plan, pairs, turns, facts):
    *size, channels = common_shape([facts[image] for split in SPLITS for image, _ in pairs[split]])
    every = [(*pair, turns[pair]) for split in SPLITS for pair in pairs[split]]

    def read(index):
        return plan.read(*every[int(index)], channels)

    def decode(index):
        image, mask = tf.numpy_function(read, [index], (tf.uint8, tf.uint8), stateful=False)
        image.set_shape((*size, channels))
        mask.set_shape(size)
        return image, mask

    elements, start = {}, 0
    for split in SPLITS:
        elements[split] = tf.data.Dataset.range(start, start + len(pairs[split]))
        start += len(pairs[split])
    return SegmentationData(
        name=str(plan.root),
        class_names=tuple(map(printable, plan.class_names)),
        ignored=tuple(map(printable, plan.ignored)),
        stored_shape=(*size, channels),  # pyright: ignore[reportArgumentType]
        elements=elements,
        decode=decode,
        num_examples={split: len(pairs[split]) for split in SPLITS},
        num_pixels={
            split: sum(math.prod(facts[image].shape[:2]) for image, _ in pairs[split])
            for split in SPLITS
        },
        file_names={
            split: tuple(_name(image, plan.root) for image, _ in pairs[split]) for split in SPLITS
        },
        report=plan.report,
    )


def _name(path, root):
    return printable(path.relative_to(root).as_posix())
