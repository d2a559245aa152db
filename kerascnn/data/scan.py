"""What is known about the images of a folder after each was read once, and what looks wrong."""

import math
import warnings
import zlib
from collections import Counter
from typing import NamedTuple

import numpy as np

from kerascnn.arguments import UsageError
from kerascnn.data import values
from kerascnn.data.images import (
    EncodedImage,
    UnreadableImageError,
    is_jpeg,
    read_encoded,
    read_opened,
)
from kerascnn.data.jpeg import START, full_digest, plain_jpeg, top_of, tops
from kerascnn.data.memory import pixels_of_an_image
from kerascnn.data.readable import readable, with_progress

# Where all values of all images are within so few levels of 255, there is hardly anything to see.
_DARK = 16
_NAMED = 3


class FolderWarning(UserWarning):
    """Something in a folder looks wrong, or is read in a way that its owner should know."""


class Facts(NamedTuple):
    """What is known about an image file.

    Args:
        shape: `(height, width, channels)`, upright.
        mode: str, Pillow's mode.
        kind: str, as `kerascnn.data.values.kind_of` returns it.
        low, high: the smallest and largest value; `None` where the file was not decoded.
        digest: tuple that is equal for equal pixels, and hardly ever for others.
        orientation: int, the EXIF orientation.
        deep_color: bool, whether there are colors of 16 bits, of which the upper 8 are read.
        plain: bool, whether `kerascnn.data.jpeg.read_plain_jpeg` reads the file as `read_image`.
        top: pair of ints, as `kerascnn.data.jpeg.top_of` returns it, if the file was decoded.
    """

    shape: tuple[int, int, int]
    mode: str
    kind: str
    low: float | None
    high: float | None
    digest: tuple
    orientation: int = 1
    deep_color: bool = False
    plain: bool = False
    top: tuple[int, int] | None = None


def read_facts(paths, max_pixels, strict):
    """Reads all images of a folder once.

    Plain JPEG files are not decoded: their structure shows that they are whole, and equal codes
    that their pixels are equal. If all files are JPEG, the others are decoded at an eighth of their
    size, and those that look equal there are read in full again. If not, a plain file is decoded if
    another file may have its pixels in another form.

    Args:
        paths: list of paths.
        max_pixels: int, as in `read_image`.
        strict: bool, as in `readable`.

    Returns:
        `{path: Facts}` of the images that can be read.
    """
    facts = _plain_facts(paths, max_pixels)
    others = [path for path in paths if path not in facts]
    all_jpeg = all(map(is_jpeg, others))
    read = readable(others, lambda path: facts_of(path, max_pixels, reduced=all_jpeg), strict)
    if all_jpeg:
        counts = Counter(fact.digest for fact in read.values())
        again = [path for path, fact in read.items() if counts[fact.digest] > 1]
        read |= readable(again, lambda path: facts_of(path, max_pixels), strict)
    else:
        again = _perhaps_equal(facts, read)
        digests = readable(again, lambda path: facts_of(path, max_pixels).digest, strict)
        facts |= {path: facts[path]._replace(digest=digest) for path, digest in digests.items()}
    facts |= read
    return {path: facts[path] for path in paths if path in facts}


def _plain_facts(paths, max_pixels):
    """Returns `{path: Facts}` of the plain JPEG files, without decoding them."""
    limit = max_pixels or pixels_of_an_image()
    facts = {}
    # One by one: threads would wait for each other longer than a file is read.
    for path in with_progress(paths, len(paths)):
        encoded = read_encoded(path, START)
        found = _upright_plain_jpeg(encoded, limit)
        if found is not None:
            mode = "RGB" if found.shape[2] == 3 else "L"
            digest = found.digest
            facts[path] = Facts(found.shape, mode, "uint8", None, None, digest, plain=True)
    counts = Counter(fact.digest for fact in facts.values())
    for path, fact in facts.items():
        if counts[fact.digest] > 1:
            encoded = read_encoded(path, START)
            found = _upright_plain_jpeg(encoded, limit)
            if found is not None:
                facts[path] = fact._replace(digest=full_digest(encoded, found))
    return facts


def _upright_plain_jpeg(encoded, limit):
    """Returns the `PlainJpeg` of a file that is read as it is stored, or `None`."""
    found = plain_jpeg(encoded) if encoded else None
    if found is None or math.prod(found.shape[:2]) > limit:
        return None
    try:
        if found.has_metadata and EncodedImage(encoded).orientation != 1:
            return None
    except UnreadableImageError:  # reading the image will report it
        return None
    return found


def _perhaps_equal(plain, read):
    """Returns plain JPEG files that may have the pixels of a file of another form.

    Such a file has the first rows of the other one, which is of another format, progressive or has
    other Huffman tables.

    Args:
        plain: `{path: Facts}` of the plain files.
        read: `{path: Facts}` of the other files, decoded.
    """
    shapes = {fact.shape for fact in read.values()}
    codings = {}
    for fact in plain.values():
        codings.setdefault(fact.digest[:2], set()).add(fact.digest[2])
    near = {
        path: fact.shape
        for path, fact in plain.items()
        if fact.shape in shapes or len(codings[fact.digest[:2]]) > 1
    }
    found = {
        path: (shape, *top) for (path, shape), top in zip(near.items(), tops(near), strict=True)
    }
    counts = Counter(found.values())
    counts.update((fact.shape, *fact.top) for fact in read.values() if fact.top is not None)
    return [path for path, top in found.items() if counts[top] > 1]


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
    digest = (opened.size, pixels.shape, zlib.crc32(data[:middle]), zlib.crc32(data[middle:]))  # pyright: ignore[reportArgumentType]
    return Facts(
        shape=(*opened.size, pixels.shape[2] if pixels.ndim == 3 else 1),
        mode=opened.mode,
        kind=opened.kind,
        low=pixels.min().item(),
        high=pixels.max().item(),
        digest=digest,
        orientation=opened.orientation,
        deep_color=opened.deep_color,
        top=top_of(pixels) if opened.kind == "uint8" else None,
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
        facts: list of `Facts` of all images, for a kind that no training image has.
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
    train = {path: facts[path] for path in splits["train"]}
    if len(train) > 1:
        _check_alike(root, train)
    _warn_of_duplicates(root, splits, facts)


def _check_alike(name, train_facts):
    train = list(train_facts.values())
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
    if all(fact.kind == "uint8" for fact in train):
        low, high = _levels(train_facts)
        if high - low < _DARK:
            warnings.warn(
                f"All pixels of the training images of {name} are in [{low}, {high}] of 255: the "
                "images hardly differ for a model; scale them to [0, 255].",
                FolderWarning,
                stacklevel=4,
            )


def _levels(facts):
    """Returns the smallest and largest value of images, or of enough of them to differ visibly."""
    low, high = 255, 0
    for path, fact in facts.items():
        known = fact if fact.low is not None else facts_of(path, math.prod(fact.shape[:2]))
        low, high = min(low, known.low), max(high, known.high)  # pyright: ignore[reportArgumentType]
        if high - low >= _DARK:
            break
    return low, high


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
