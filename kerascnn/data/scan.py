"""What is known about the images of a folder after each was read once, and what looks wrong."""

import warnings
import zlib
from collections import Counter
from dataclasses import dataclass

import numpy as np

from kerascnn.arguments import UsageError
from kerascnn.data import values
from kerascnn.data.images import is_jpeg, read_opened
from kerascnn.data.readable import readable

# Where all values of all images are within so few levels of 255, there is hardly anything to see.
_DARK = 16
_NAMED = 3


class FolderWarning(UserWarning):
    """Something in a folder looks wrong, or is read in a way that its owner should know."""


@dataclass(frozen=True)
class Facts:
    """What is known about an image file.

    Args:
        shape: `(height, width, channels)`, upright.
        mode: str, Pillow's mode.
        kind: str, as `kerascnn.data.values.kind_of` returns it.
        low, high: the smallest and largest value.
        digest: tuple that is equal for equal pixels, and hardly ever for others.
        orientation: int, the EXIF orientation.
        deep_color: bool, whether there are colors of 16 bits, of which the upper 8 are read.
    """

    shape: tuple[int, int, int]
    mode: str
    kind: str
    low: float
    high: float
    digest: tuple
    orientation: int = 1
    deep_color: bool = False


def read_facts(paths, max_pixels, strict):
    """Reads all images of a folder once.

    Where all files are JPEG, they are decoded at an eighth of their size, which also shows whether
    they are whole, and takes half of the time. What looks equal there is read in full again.

    Args:
        paths: list of paths.
        max_pixels: int, as in `read_image`.
        strict: bool, as in `readable`.

    Returns:
        `{path: Facts}` of the images that can be read.
    """
    reduced = all(map(is_jpeg, paths))
    facts = readable(paths, lambda path: facts_of(path, max_pixels, reduced), strict)
    if reduced and facts:
        counts = Counter(fact.digest for fact in facts.values())
        dark = max(f.high for f in facts.values()) - min(f.low for f in facts.values()) < _DARK
        again = [path for path, fact in facts.items() if dark or counts[fact.digest] > 1]
        facts |= readable(again, lambda path: facts_of(path, max_pixels), strict)
    return facts


def facts_of(path, max_pixels=None, reduced=False):
    """Reads an image file and returns its `Facts`.

    Args:
        path: path.
        max_pixels: int, as in `read_image`.
        reduced: bool, whether values and digest of a JPEG file are those at an eighth of its size.
    """
    opened = read_opened(path, max_pixels=max_pixels, raw=True, reduced=reduced)
    pixels = np.ascontiguousarray(opened.pixels)
    data, middle = pixels.reshape(-1).view(np.uint8), pixels.nbytes // 2
    digest = (opened.size, pixels.shape, zlib.crc32(data[:middle]), zlib.crc32(data[middle:]))
    return Facts(
        shape=(*opened.size, pixels.shape[2] if pixels.ndim == 3 else 1),
        mode=opened.mode,
        kind=opened.kind,
        low=pixels.min().item(),
        high=pixels.max().item(),
        digest=digest,
        orientation=opened.orientation,
        deep_color=opened.deep_color,
    )


def common_shape(facts):
    """Returns `(height, width, channels)` for all images; sizes are `None` where they differ."""
    sizes = {fact.shape[:2] for fact in facts}
    size = sizes.pop() if len(sizes) == 1 else (None, None)
    return (*size, max((fact.shape[2] for fact in facts), default=3))


def value_ranges(train, facts):
    """Returns `{kind: (low, high)}` by which images of more than eight bits are scaled.

    Args:
        train: list of `Facts` of the training images, which decide.
        facts: list of those of all images, for a kind that no training image has.
    """
    found = {}
    for kind in sorted({fact.kind for fact in facts} - {"uint8"}):
        of_kind = [fact for fact in train if fact.kind == kind]
        of_kind = of_kind or [fact for fact in facts if fact.kind == kind]
        low, high = min(fact.low for fact in of_kind), max(fact.high for fact in of_kind)
        bounds = values.range_of(kind, low, high)
        if bounds is not None:
            found[kind] = bounds
    return found


def check_ranges(root, facts, ranges):
    """Raises an error if there are images whose values no range is known for.

    Args:
        root: path of the folder.
        facts: list of `Facts`.
        ranges: `{kind: (low, high)}`, as `value_ranges` returns it.
    """
    for fact in facts:
        if fact.kind in ranges or fact.kind == "uint8":
            continue
        inside = values.in_range_of_type(fact.kind, fact.low, fact.high)
        if not inside:
            raise UsageError(
                f"{root} has images with values in [{fact.low:g}, {fact.high:g}] ({fact.kind}), "
                "and the training images of the run had none of this kind: save them as the "
                "training images are, for example `mogrify -depth 8 *.tif`."
            )


def describe_images(facts, ranges):
    """Returns a phrase about modes, depths and sizes of images."""
    modes = Counter(_mode(fact) for fact in facts)
    parts = [_counted(modes)]
    sizes = Counter(fact.shape[:2] for fact in facts)
    if len(sizes) == 1:
        parts.append(_times(*sizes))
    elif sizes:
        smallest, largest = (f(sizes, key=lambda size: size[0] * size[1]) for f in (min, max))
        parts.append(f"{len(sizes):,} sizes, {_times(smallest)} to {_times(largest)}")
    for kind in sorted({fact.kind for fact in facts} - {"uint8"}):
        parts.append(values.sentence(kind, ranges.get(kind)))
    if any(fact.deep_color for fact in facts):
        parts.append("colors of 16 bits are read in their upper 8")
    turned = sum(fact.orientation != 1 for fact in facts)
    if turned:
        parts.append(f"{turned:,} turned upright by EXIF")
    return "; ".join(parts)


def check_images(root, splits, facts):
    """Says what looks wrong about the images of all splits.

    Args:
        root: path of the folder.
        splits: `{split: list of paths}`.
        facts: `{path: Facts}`.

    Raises:
        UsageError: if all training images have equal pixels, or hardly any values.
    """
    train = [facts[path] for path in splits["train"]]
    if len(train) > 1:
        _check_alike(root, train)
    _warn_of_duplicates(root, splits, facts)


def _check_alike(name, train):
    if len({fact.digest for fact in train}) == 1:
        raise UsageError(
            f"The {len(train):,} training images of {name} must differ; all of them have the same "
            "pixels, so there is nothing to learn. Look at them with `show-data`, or replace them."
        )
    if any(fact.deep_color for fact in train) and max(fact.high for fact in train) < 2 * _DARK:
        raise UsageError(
            f"The images of {name} have colors of 16 bits, of which the upper 8 are read and are "
            f"below {2 * _DARK}: save them with 8 bits for each channel first (ImageMagick: "
            "`mogrify -normalize -depth 8 *.png` in each folder)."
        )
    plain = [fact for fact in train if fact.kind == "uint8"]
    if len(plain) == len(train):
        low, high = min(fact.low for fact in plain), max(fact.high for fact in plain)
        if high - low < _DARK:
            warnings.warn(
                f"All pixels of the training images of {name} are in [{low}, {high}] of 255: the "
                "images hardly differ for a model; scale them to [0, 255].",
                FolderWarning,
                stacklevel=4,
            )


def _warn_of_duplicates(root, splits, facts):
    first = {}
    for split, paths in splits.items():
        for path in paths:
            first.setdefault(facts[path].digest, []).append((split, path))
    shared = [found for found in first.values() if len({split for split, _ in found}) > 1]
    if not shared:
        return
    pairs = []
    for found in shared[:_NAMED]:
        one = found[0]
        other = next(item for item in found if item[0] != one[0])
        (split, path), (other_split, other_path) = one, other
        pairs.append(
            f"{path.relative_to(root)} ({split}) and {other_path.relative_to(root)} ({other_split})"
        )
    more = f" and {len(shared) - _NAMED:,} more" if len(shared) > _NAMED else ""
    warnings.warn(
        f"{len(shared):,} images of {root} are in two splits with equal pixels, so that results "
        f"are too good: {'; '.join(pairs)}{more}. Delete one of each.",
        FolderWarning,
        stacklevel=4,
    )


def _mode(fact):
    depth = {"uint16": "16 bits", "int32": "32 bits", "float32": "float"}.get(fact.kind, "8 bits")
    if fact.mode == "1":
        return "black and white"
    names = {"L": "gray", "LA": "gray with alpha", "P": "palette", "PA": "palette"}
    name = "gray" if fact.kind != "uint8" else names.get(fact.mode, fact.mode)
    return f"{name}, {'16 bits' if fact.deep_color else depth}"


def _counted(counts):
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(
        f"{count:,} {name.replace(', ', ' of ')}" for name, count in counts.most_common()
    )


def _times(size):
    return f"{size[1]}x{size[0]}"
