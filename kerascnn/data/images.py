"""Image files of every kind, read with Pillow."""

import contextlib
import io
import os
import stat
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from kerascnn.arguments import UsageError, at_least_one, one_of
from kerascnn.data import memory, pillow_limit
from kerascnn.data.pixels import luminance, over_white

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
# Pillow's names of their formats
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")


class UnreadableImageError(OSError):
    """A file is not an image, is broken or has too many pixels."""


class TooManyPixelsError(UnreadableImageError):
    """An image has more pixels than allowed; its header says so, and nothing was decoded."""


def image_files(folder):
    """Returns the image files below a folder, by suffix, sorted, without hidden ones.

    Example:
        >>> import pathlib
        >>> import sklearn.datasets
        >>> import kerascnn
        >>> folder = pathlib.Path(sklearn.datasets.__file__).parent / "images"
        >>> [path.name for path in kerascnn.data.image_files(folder)]
        ['china.jpg', 'flower.jpg']
    """
    folder = Path(folder)
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def files_of(paths):
    """Returns the given image files, and those below the given folders.

    Args:
        paths: list of paths.

    Returns:
        list of `pathlib.Path`.

    Raises:
        FileNotFoundError: if there is no such file or folder.
        UsageError: if a folder has no images.
    """
    files = []
    for path in map(Path, paths):
        if not path.exists():
            raise FileNotFoundError(f"There is no file or folder {path}.")
        found = image_files(path) if path.is_dir() else [path]
        if not found:
            raise UsageError(f"{path} must have images ({', '.join(SUFFIXES)}); got none.")
        files += found
    return files


def read_image(path, channels=None, max_pixels=None):
    """Reads an image as a person would see it.

    Rotates by EXIF orientation, resolves palettes, puts transparent pixels on white and takes the
    upper eight bits of sixteen. Of an animation, the first frame is read.

    Args:
        path: path of a BMP, GIF, JPEG, PNG, TIFF or WebP file.
        channels: 1 or 3, or `None` for those of the file.
        max_pixels: int, the largest number of pixels that is decoded; by default as many as fit
            into a quarter of the machine's memory at 8 bytes per pixel.

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
    with open_image(path, max_pixels) as image:
        return _with_channels(image, channels)


def decode_image(encoded, channels=None, max_pixels=None, formats=FORMATS):
    """Decodes the bytes of an image file as `read_image` reads a file.

    Args:
        encoded: bytes.
        channels: as in `read_image`.
        max_pixels: as in `read_image`.
        formats: names, in `FORMATS`, of the formats that are accepted.

    Returns:
        uint8 array of shape `(height, width, channels)`.

    Raises:
        TooManyPixelsError: if the image has more than `max_pixels`.
        UnreadableImageError: if the bytes are not an image of one of the formats, or are broken.
        UsageError: if `channels` or `max_pixels` is wrong.

    Example:
        >>> import pathlib
        >>> import sklearn.datasets
        >>> from kerascnn.data.images import decode_image
        >>> path = pathlib.Path(sklearn.datasets.__file__).parent / "images" / "flower.jpg"
        >>> decode_image(path.read_bytes(), channels=1).shape
        (427, 640, 1)
    """
    one_of(channels, (None, 1, 3), "channels")
    with _unreadable(_title(encoded), "an image"), io.BytesIO(encoded) as file:
        return _with_channels(_loaded(file, max_pixels, formats), channels)


def encoded_size(encoded, formats=FORMATS):
    """Returns width and height of an image file from its header, before EXIF turns it.

    Args:
        encoded: bytes.
        formats: as in `decode_image`.

    Raises:
        UnreadableImageError: if the bytes are not an image of one of the formats.
    """
    with _unreadable(_title(encoded), "an image"), io.BytesIO(encoded) as file:
        return _identified(file, formats).size


def _title(encoded):
    return f"A file of {len(encoded)} bytes"


def _with_channels(image, channels):
    pixels = _pixels(ImageOps.exif_transpose(image))
    if channels == 1 and pixels.shape[-1] == 3:
        return luminance(pixels.astype(np.int32)).astype(np.uint8)
    if channels == 3 and pixels.shape[-1] == 1:
        return np.repeat(pixels, 3, axis=-1)
    return pixels


@contextlib.contextmanager
def open_image(path, max_pixels=None, kind="an image"):
    """Opens and decodes a file as a Pillow image.

    Args:
        path: path of a regular file of a format in `SUFFIXES`.
        max_pixels: as in `read_image`.
        kind: str, what the file must be, for the error.

    Raises:
        UnreadableImageError: for every error in opening, decoding, and the body of the `with`.
        FileNotFoundError: if there is no such file.
    """
    with _unreadable(path, kind):
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise OSError("it is not a regular file")
        with open(path, "rb") as file:
            yield _loaded(file, max_pixels, FORMATS)


@contextlib.contextmanager
def _unreadable(what, kind):
    """Turns errors into `UnreadableImageError`."""
    try:
        yield
    except (FileNotFoundError, UsageError):
        raise
    except Exception as error:  # Pillow's decoders raise errors of many kinds
        make = TooManyPixelsError if isinstance(error, TooManyPixelsError) else UnreadableImageError
        raise make(f"{what} cannot be read as {kind} ({error}).") from error


def _loaded(file, max_pixels, formats):
    """Returns Pillow's image of an open file, decoded."""
    if max_pixels is None:
        max_pixels = memory.pixels_of_an_image()
    at_least_one(max_pixels, "max_pixels")
    image = _identified(file, formats)
    width, height = image.size
    if width * height > max_pixels:
        raise TooManyPixelsError(
            f"it has {width}x{height} pixels, more than {max_pixels:,}; "
            "a larger `max_pixels` (`--max-pixels`) allows it"
        )
    with pillow_limit.decoding(width * height):
        image.load()
    return image


def _identified(file, formats):
    """Returns Pillow's image of a file whose header is read, but not its pixels.

    `Image.open` does the same and then checks Pillow's limit. (Pillow's reader of WebP checks it
    here too: a WebP file of more than twice the limit, 179 million pixels, cannot be read.)
    """
    Image.init()
    start = file.read(16)
    for name in formats:
        make, accepts = Image.OPEN[name]
        if accepts(start) is True:  # a str is the reason why this Pillow lacks the format
            file.seek(0)
            return make(file, getattr(file, "name", None))
    raise OSError(f"its content is not {', '.join(formats)}")


def _pixels(image):
    if image.mode.startswith("I"):  # 16 bits, in Pillow's several ways to say so
        wide = np.asarray(image)
        gray = (wide.clip(0, 65535) >> 8).astype(np.uint8)
        transparent = wide == image.info.get("transparency", -1)
        return np.where(transparent, 255, gray).astype(np.uint8)[..., np.newaxis]
    if image.has_transparency_data:
        mode = "LA" if image.mode in ("1", "L", "LA", "La") else "RGBA"
        pixels = np.asarray(image.convert(mode)).astype(np.int32)
        return over_white(pixels[..., :-1], pixels[..., -1:]).astype(np.uint8)
    if image.mode in ("1", "L"):
        return np.asarray(image.convert("L"))[..., np.newaxis]
    return np.asarray(image.convert("RGB"))


def to_pillow(pixels):
    """Returns a uint8 array `(height, width, channels)` as a Pillow image."""
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
