"""Converts the pixels of mask files to class indices."""

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from kerascnn.arguments import UsageError
from kerascnn.data.images import bands, in_bands, open_image, orientation_of
from kerascnn.ops.ignored import IGNORED

_COLOR_MODES = ("RGB", "RGBA", "RGBX", "LA", "PA", "CMYK", "YCbCr")
_BAND = 2**20


@dataclass(frozen=True)
class MaskReading:
    """How mask pixels map to classes.

    Args:
        values: optional `{number in a mask: class}`; by default the number is the class index.
        colors: optional `{0xrrggbb: class}`, if masks are read by color.
        nearest: bool, whether other numbers and colors map to the nearest one. In JPEG files they
            always do, if there are `values` or `colors`.
    """

    values: Mapping[int, int] | None = None
    colors: Mapping[int, int] | None = None
    nearest: bool = False

    def classes(self, raw):
        """Returns the classes of a mask.

        Args:
            raw: `RawMask`.

        Returns:
            uint8 array `(height, width)`; pixels without a class are 255.
        """
        table = self.colors if raw.colored else self.values
        if table is None:
            return np.minimum(raw.values, IGNORED).astype(np.uint8)
        known = np.array(sorted(table))
        classes = np.array([table[int(key)] for key in known], np.uint8)
        nearest = self.nearest or raw.jpeg
        result = np.empty(raw.values.shape, np.uint8)
        rows = max(1, _BAND // max(1, raw.values.shape[1]))
        for top in range(0, len(result), rows):
            band = raw.values[top : top + rows]
            found, place = np.unique(band, return_inverse=True)
            result[top : top + rows] = _classes_of(found, known, classes, nearest, raw.colored)[
                place.reshape(band.shape)
            ]
        return result

    def strays(self, raw, classes):
        """Returns the sorted numbers or colors of a mask without a class, except ignored ones.

        Args:
            raw: `RawMask`.
            classes: int, the number of classes.
        """
        table = self.colors if raw.colored else self.values
        if raw.colored and table is None:
            return sorted(raw.counts)
        if table is None:
            return sorted(key for key in raw.counts if not 0 <= key < classes and key != IGNORED)
        if self.nearest or raw.jpeg:
            return []
        ignored = () if raw.colored else (IGNORED,)
        return sorted(key for key in raw.counts if key not in table and key not in ignored)


@dataclass(frozen=True)
class RawMask:
    """The pixels of a mask file.

    Args:
        values: int array `(height, width)`: numbers, or colors as 0xrrggbb.
        colored: bool, whether the values are colors.
        mode: str, Pillow's mode.
        counts: `{number or color: pixels}`.
        palette: `{number: 0xrrggbb}` of numbers that occur, if the file has a palette.
        jpeg: bool, whether the file is a JPEG, which blurs values.
        orientation: int, the EXIF orientation of the mask itself.
    """

    values: np.ndarray
    colored: bool
    mode: str
    counts: Mapping[int, int]
    palette: Mapping[int, int] = field(default_factory=dict)
    jpeg: bool = False
    orientation: int = 1

    @property
    def digest(self):
        """A hash of the values."""
        return zlib.crc32(self.values.tobytes())


def read_mask(path: str | Path, max_pixels: int | None = None) -> np.ndarray:
    """Reads a mask: the class index of every pixel.

    Args:
        path: path of an image file with one channel, with equal channels, or with a palette (whose
            indices are the class indices).
        max_pixels: int, as in `read_image`.

    Returns:
        uint8 array of shape `(height, width)`.

    Raises:
        UnreadableImageError: if the file is not an image, is damaged or has too many pixels.
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
    raw = raw_mask(path, max_pixels)
    if raw.colored:
        raise UsageError(
            f"{path} must have a class index in every pixel, in one channel or as a palette "
            f"index; got an image of mode {raw.mode} with colors ({colors_found(raw.counts)})."
        )
    low, high = min(raw.counts), max(raw.counts)
    if low < 0 or high > IGNORED:
        raise UsageError(f"{path} must have numbers in [0, 255]; got {low if low < 0 else high}.")
    return raw.values.astype(np.uint8)


def raw_mask(path, max_pixels=None, by_color=False):
    """Reads a mask file as it is stored.

    Args:
        path: path.
        max_pixels: int, as in `read_image`.
        by_color: bool, whether to convert numbers and palettes to colors.

    Returns:
        `RawMask`.
    """
    with open_image(path, max_pixels, kind="a mask") as image:
        mode, jpeg, own = image.mode, image.format in ("JPEG", "MPO"), orientation_of(image)
        palette, colored = {}, by_color
        if mode == "F":
            raise UsageError(
                f"{path} must have a class index in every pixel; got floats. "
                "Save the masks as 8-bit PNG files."
            )
        if by_color or mode in _COLOR_MODES:
            colored = by_color or not all(map(_is_gray, bands(image)))
            values = in_bands(image, _packed if colored else _first_channel)
        else:
            values = np.asarray(image)
            values = values.astype(np.uint8) if values.dtype == bool else values
            if mode == "P":
                palette = _palette(image)
    counts = counts_of(values)
    palette = {key: palette.get(key, 0) for key in counts} if palette else {}
    return RawMask(values, colored, mode, counts, palette, jpeg, own)  # pyright: ignore[reportArgumentType]


def named_values(given, option="mask_values"):
    """Parses `--mask-values` or `--mask-colors`.

    Args:
        given: `None`; str such as `"0,255"`, `"road=0,car=255"` or `"0,255,nearest"`, with
            `#rrggbb` instead of numbers for colors; a list of them; or a dict from class names to
            them.
        option: `"mask_values"` or `"mask_colors"`.

    Returns:
        `(names or None, numbers, nearest)`, or `None` if nothing is given.

    Raises:
        UsageError: if the format is invalid.
    """
    if given is None:
        return None
    words = [word.strip() for word in as_text(given).split(",") if word.strip()]
    nearest = "nearest" in words
    words = [word for word in words if word != "nearest"]
    names, numbers = [], []
    for word in words:
        name, _, value = word.rpartition("=")
        number = _number(value.strip(), option)
        if number is None:
            example = "'road=#804080,sky=#808080'" if "color" in option else "0,255"
            raise UsageError(
                f"`{option}` must be numbers or colors, with or without names of classes; got "
                f"{word!r}: write `--{option.replace('_', '-')} {example}`."
            )
        names.append(name.strip())
        numbers.append(number)
    if len(numbers) < 2 or len(set(numbers)) < len(numbers) or (any(names) and not all(names)):
        example = "'road=#804080,sky=#808080'" if "color" in option else "'road=0,sky=255'"
        raise UsageError(
            f"`{option}` must have different values for at least two classes, all of them with a "
            f"name or none; got {given!r}: write `--{option.replace('_', '-')} {example}`."
        )
    return (tuple(names) if all(names) else None), tuple(numbers), nearest


def as_text(given):
    """Converts an argument of `named_values` to text, or `None`."""
    if isinstance(given, Mapping):
        given = [f"{name}={value}" for name, value in given.items()]
    return given if given is None or isinstance(given, str) else ",".join(map(str, given))


def hexadecimal(color):
    """Returns `#rrggbb` of 0xrrggbb."""
    return f"#{color:06x}"


def colors_found(counts, most=8):
    """Describes colors with their fractions of the pixels."""
    total = sum(counts.values())
    order = sorted(counts, key=counts.get, reverse=True)
    listed = ", ".join(f"{hexadecimal(key)} {counts[key] / total:.1%}" for key in order[:most])
    return listed + (f" and {len(order) - most:,} more" if len(order) > most else "")


def _number(word, option):
    if "color" in option:
        match = re.fullmatch(r"#?([0-9a-fA-F]{6})", word)
        return int(match[1], 16) if match else None
    return int(word) if re.fullmatch(r"\d{1,9}", word) else None


def _classes_of(found, known, classes, nearest, colored):
    """Returns the class of each sorted number or color."""
    if nearest:
        if colored:
            parts = [np.stack([x >> 16, (x >> 8) & 255, x & 255], -1) for x in (found, known)]
            parts = [part.astype(np.int32) for part in parts]
            order = [((color - parts[1]) ** 2).sum(-1).argmin() for color in parts[0]]
        else:
            order = [np.abs(known - int(value)).argmin() for value in found]
        return classes[np.array(order, int)]
    place = np.minimum(np.searchsorted(known, found), len(known) - 1)
    return np.where(known[place] == found, classes[place], IGNORED).astype(np.uint8)


def _packed(band):
    pixels = np.asarray(band.convert("RGB")).astype(np.uint32)
    return (pixels[..., 0] << 16) | (pixels[..., 1] << 8) | pixels[..., 2]


def _first_channel(band):
    return np.asarray(band.convert("RGB"))[..., 0]


def _is_gray(band):
    """Returns whether the channels of all pixels are equal."""
    pixels = np.asarray(band.convert("RGB"))
    return bool((pixels == pixels[..., :1]).all())


def _palette(image):
    flat = np.asarray(image.getpalette("RGB") or (), np.uint32).reshape(-1, 3)
    return {i: int(r) << 16 | int(g) << 8 | int(b) for i, (r, g, b) in enumerate(flat)}


def counts_of(values):
    """Returns `{value: pixels}` of an array of ints."""
    total, flat = {}, values.reshape(-1)
    if values.dtype == np.uint8:
        counts = sum(
            np.bincount(flat[start : start + _BAND], minlength=256)
            for start in range(0, flat.size, _BAND)
        )
        return {int(i): int(counts[i]) for i in np.flatnonzero(counts)}
    for start in range(0, flat.size, _BAND):
        keys, counts = np.unique(flat[start : start + _BAND], return_counts=True)
        for key, count in zip(keys.tolist(), counts.tolist(), strict=True):
            total[key] = total.get(key, 0) + count
    return total
