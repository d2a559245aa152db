"""Reads image files with Pillow; `kerascnn.data.jpeg` decodes usual JPEG files in TensorFlow.

No other module opens image files.
"""

import contextlib
import io
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from kerascnn.arguments import UsageError, at_least_one, one_of
from kerascnn.data import memory, pillow_limit
from kerascnn.data.file_tree import FORMATS, format_by_content
from kerascnn.data.pixels import luminance, over_white
from kerascnn.data.values import check_finite, kind_of, to_pixels

_ORIENTATION = 0x0112
# How to rotate an array `(height, width, ...)` upright, by EXIF orientation
_UPRIGHT = {
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.swapaxes(0, 1),
    6: lambda x: x.swapaxes(0, 1)[:, ::-1],
    7: lambda x: x.swapaxes(0, 1)[::-1, ::-1],
    8: lambda x: x.swapaxes(0, 1)[::-1],
}
# From this orientation on, rows and columns are swapped.
_ACROSS = 5
_REDUCED = 8
# Pixels are converted in bands of about this many pixels, to keep one copy in memory.
_BAND = 2**18
_FIRST_READ, _SMALL_FILE = 2**16, 2**26


class UnreadableImageError(OSError):
    """Raised when a file is not an image, is damaged or has too many pixels."""


class TooManyPixelsError(UnreadableImageError):
    """Raised when an image's header gives more pixels than allowed; nothing was decoded."""


@dataclass(frozen=True)
class Opened:
    """The pixels of a file, upright.

    Args:
        pixels: uint8 array `(height, width, channels)`; if `raw`, the unscaled values of a file
            with one channel of more than eight bits.
        mode: str, Pillow's mode.
        kind: str, the type of the values in the file, from `kerascnn.data.values.kind_of`.
        orientation: int, the EXIF orientation that was applied.
        size: `(height, width)` of the image in the file, upright.
        deep_color: bool, whether the file has 16-bit colors, of which the upper 8 bits are read.
    """

    pixels: np.ndarray
    mode: str
    kind: str
    orientation: int
    size: tuple[int, int]
    deep_color: bool = False


def read_image(
    path: str | Path,
    channels: int | None = None,
    max_pixels: int | None = None,
    value_ranges: dict[str, Any] | None = None,
) -> np.ndarray:
    """Reads an image as a viewer displays it.

    Applies the EXIF orientation, resolves palettes, puts transparent pixels on white and scales
    values of more than eight bits. Reads only the first frame of an animation.

    Args:
        path: path of a BMP, GIF, JPEG, PNG, PPM, TIFF or WebP file.
        channels: 1 or 3, or `None` for the file's own.
        max_pixels: int, largest number of pixels to decode; by default as many as fit into a
            quarter of the machine's memory at 8 bytes per pixel.
        value_ranges: optional `{type: (low, high)}` with the types `"uint16"`, `"int32"` and
            `"float32"`: the values that become 0 and 255. By default, 16-bit values lose their
            lower eight bits, floats must be in [0, 1], and 32-bit integers cannot be read.

    Returns:
        uint8 array of shape `(height, width, channels)`.

    Raises:
        UnreadableImageError: if the file is not an image, is broken, has more than `max_pixels`, or
            may not be read.
        FileNotFoundError: if there is no such file.
        UsageError: if `channels` or `max_pixels` is wrong.

    Example:
        >>> import pathlib
        >>> import sklearn.datasets
        >>> import kerascnn
        >>> folder = pathlib.Path(sklearn.datasets.__file__).parent / "images"
        >>> kerascnn.data.read_image(folder / "flower.jpg").shape
        (427, 640, 3)
    """
    one_of(channels, (None, 1, 3), "channels")
    return read_opened(path, channels, max_pixels, value_ranges).pixels


def read_opened(path, channels=None, max_pixels=None, value_ranges=None, raw=False, reduced=False):
    """Reads an image as `read_image` does, and returns it with properties of the file.

    Args:
        path, channels, max_pixels, value_ranges: as in `read_image`.
        raw: bool, whether values of more than eight bits stay unscaled.
        reduced: bool, whether a JPEG file is decoded at about an eighth of its height and width.

    Returns:
        `Opened`.
    """
    with open_image(path, max_pixels, reduced=reduced) as image:
        return _opened(image, channels, value_ranges, raw)


class EncodedImage:
    """The bytes of an image file: at first, only the header is read.

    Args:
        encoded: bytes.
        formats: names, in `FORMATS`, of the formats that are accepted.

    Attributes:
        size: width and height, before EXIF rotates the image.

    Raises:
        UnreadableImageError: if the bytes are not an image of one of the formats.

    Example:
        >>> import pathlib
        >>> import sklearn.datasets
        >>> from kerascnn.data.images import EncodedImage
        >>> path = pathlib.Path(sklearn.datasets.__file__).parent / "images" / "flower.jpg"
        >>> image = EncodedImage(path.read_bytes())
        >>> image.size, image.decode(channels=1).shape
        ((640, 427), (427, 640, 1))
    """

    def __init__(self, encoded, formats=FORMATS):
        self._title = f"A file of {len(encoded)} bytes"
        with _unreadable(self._title, "an image"):
            self._image = _identified(io.BytesIO(encoded), formats)
        self.size = self._image.size

    @property
    def orientation(self):
        """The EXIF orientation, 1 to 8."""
        with _unreadable(self._title, "an image"):
            return orientation_of(self._image)

    def decode(self, channels=None, max_pixels=None, value_ranges=None):
        """Decodes the image as `read_image` reads a file; to be called once.

        Args:
            channels, max_pixels, value_ranges: as in `read_image`.

        Returns:
            uint8 array of shape `(height, width, channels)`.

        Raises:
            TooManyPixelsError: if the image has more than `max_pixels`.
            UnreadableImageError: if it is broken.
            UsageError: if `channels` or `max_pixels` is wrong.
        """
        one_of(channels, (None, 1, 3), "channels")
        with _unreadable(self._title, "an image"):
            return _opened(_loaded(self._image, max_pixels), channels, value_ranges).pixels


def read_encoded(path, start):
    """Returns the bytes of a file that begins with the signature of a format.

    Args:
        path: path.
        start: bytes that the file must begin with, so that no other file is read to its end.

    Returns:
        bytes, or `None` if the file begins otherwise, is not regular, or has 64 MiB or more.
    """
    # `open` and `pathlib` take longer than reading a small file. A pipe must not wait for a writer.
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        encoded = os.read(file, _FIRST_READ)
        if not encoded.startswith(start):
            return None
        if len(encoded) < _FIRST_READ:
            return encoded
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode) or found.st_size >= _SMALL_FILE:
            return None
        return encoded + os.read(file, found.st_size)
    except OSError:
        return None
    finally:
        os.close(file)


def _opened(image, channels=None, value_ranges=None, raw=False):
    kind, mode, orientation = kind_of(image), image.mode, orientation_of(image)
    deep_color, size = image.kerascnn_deep_color, image.kerascnn_size
    if kind != "uint8" and raw:
        pixels = np.asarray(image)
        check_finite(pixels)
    else:
        pixels = _pixels(image, channels, kind, value_ranges)
    size = size if orientation >= _ACROSS else size[::-1]
    return Opened(upright(pixels, orientation), mode, kind, orientation, size, deep_color)  # pyright: ignore[reportArgumentType]


@contextlib.contextmanager
def open_image(path, max_pixels=None, kind="an image", reduced=False):
    """Opens and decodes a file as a Pillow image.

    Args:
        path: path of a regular file of one of `FORMATS`, whatever its suffix.
        max_pixels: as in `read_image`.
        kind: str, what the file must be, for the error message.
        reduced: bool, as in `read_opened`.

    Raises:
        UnreadableImageError: for every error while opening, decoding, or in the body of the `with`.
        FileNotFoundError: if there is no such file.
    """
    with _unreadable(path, kind):
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise OSError("it is not a regular file")
        with open(path, "rb") as file:
            yield _loaded(_identified(file, FORMATS), max_pixels, reduced)


@contextlib.contextmanager
def _unreadable(what, kind):
    """Turns errors into `UnreadableImageError`."""
    try:
        yield
    except (FileNotFoundError, UsageError):
        raise
    except MemoryError as error:
        raise UnreadableImageError(
            f"{what} cannot be read as {kind} (there is not enough memory)."
        ) from error
    except Exception as error:  # Pillow's decoders raise many kinds of errors
        make = TooManyPixelsError if isinstance(error, TooManyPixelsError) else UnreadableImageError
        raise make(f"{what} cannot be read as {kind} ({error}).") from error


def _loaded(image: Any, max_pixels, reduced=False):
    """Decodes the pixels of Pillow's image, and returns it."""
    if max_pixels is None:
        max_pixels = memory.pixels_of_an_image()
    at_least_one(max_pixels, "max_pixels")
    width, height = image.size
    if width * height > max_pixels:
        raise TooManyPixelsError(
            f"it has {width}x{height} pixels, more than {max_pixels:,}; "
            "a larger `max_pixels` (`--max-pixels`) allows it"
        )
    image.kerascnn_deep_color = _is_deep_color(image)
    if reduced and image.format == "JPEG":
        image.draft(None, (max(1, width // _REDUCED), max(1, height // _REDUCED)))
    with pillow_limit.decoding(width * height):
        image.load()
    # Pillow rotates TIFF images upright itself.
    image.kerascnn_size = (width, height) if image.format == "JPEG" else image.size
    return image


def is_jpeg(path):
    """Returns whether a file begins like a JPEG file."""
    try:
        with open(path, "rb") as file:
            return file.read(3) == b"\xff\xd8\xff"
    except OSError:
        return False


def orientation_of(image):
    """Returns the EXIF orientation of a Pillow image, 1 to 8."""
    found = image.getexif().get(_ORIENTATION, 1)
    return found if found in _UPRIGHT else 1


def upright(pixels, orientation):
    """Returns an array `(height, width, ...)` rotated upright by EXIF orientation."""
    if orientation not in _UPRIGHT:
        return pixels
    return np.ascontiguousarray(_UPRIGHT[orientation](pixels))


def bands(image):
    """Yields a Pillow image in bands of rows, from the top."""
    width, height = image.size
    rows = max(1, _BAND // max(width, 1))
    if rows >= height:
        yield image
        return
    for top in range(0, height, rows):
        yield image.crop((0, top, width, min(top + rows, height)))


def in_bands(image, convert):
    """Returns the array from a function that converts a Pillow image band by band."""
    result, top = None, 0
    for band in bands(image):
        part = convert(band)
        if len(part) == image.height:
            return part
        if result is None:
            result = np.empty((image.height, *part.shape[1:]), part.dtype)
        result[top : top + len(part)] = part
        top += len(part)
    return result


def _identified(file, formats):
    """Returns Pillow's image of a file whose header is read, but not its pixels.

    `Image.open` with `formats` does the same and then checks Pillow's limit. (Pillow's WebP reader
    also checks it here: WebP files of more than twice the limit, 179 million pixels, cannot be
    read.)
    """
    start = file.read(16)
    name = format_by_content(start)
    if name not in formats:
        raise OSError(f"its content is not {', '.join(formats)}")
    file.seek(0)
    return Image.OPEN[name][0](file, getattr(file, "name", None))  # pyright: ignore[reportArgumentType]


def _is_deep_color(image):
    raw = " ".join(str(part[3]) for part in getattr(image, "tile", ()))
    return image.mode in ("RGB", "RGBA", "LA", "RGBX") and ";16" in raw


def _pixels(image, channels, kind, value_ranges):
    transparent = image.has_transparency_data
    gray_key = image.info.get("transparency")
    alpha_mode = "LA" if image.mode in ("1", "L", "LA", "La") else "RGBA"
    gray = image.mode in ("1", "L")

    def convert(band):
        if kind != "uint8":
            values = np.asarray(band)
            pixels = to_pixels(values, kind, value_ranges)
            if isinstance(gray_key, int):
                pixels = np.where(values == gray_key, np.uint8(255), pixels)
            return to(pixels[..., np.newaxis])
        if transparent:
            wide = np.asarray(band.convert(alpha_mode)).astype(np.int32)
            return to(over_white(wide[..., :-1], wide[..., -1:]).astype(np.uint8))
        if gray:
            return to(np.asarray(band.convert("L"))[..., np.newaxis])
        return to(np.asarray(band if band.mode == "RGB" else band.convert("RGB")))

    def to(pixels):
        if channels == 1 and pixels.shape[-1] == 3:
            return luminance(pixels.astype(np.int32)).astype(np.uint8)
        if channels == 3 and pixels.shape[-1] == 1:
            return np.repeat(pixels, 3, axis=-1)
        return pixels

    return in_bands(image, convert)


def to_pillow(pixels):
    """Converts a uint8 array `(height, width, channels)` to a Pillow image."""
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
