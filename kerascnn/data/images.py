"""Image files of every kind, read with Pillow."""

import contextlib
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
_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")


class UnreadableImageError(OSError):
    """A file is not an image, is broken or has too many pixels."""


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
    if max_pixels is None:
        max_pixels = memory.pixels_of_an_image()
    at_least_one(max_pixels, "max_pixels")
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise OSError("it is not a regular file")
        with open(path, "rb") as file:
            image = _identified(file)
            width, height = image.size
            if width * height > max_pixels:
                raise OSError(
                    f"it has {width}x{height} pixels, more than {max_pixels:,}; "
                    "a larger `max_pixels` (`--max-pixels`) allows it"
                )
            with pillow_limit.decoding(width * height):
                image.load()
            yield image
    except FileNotFoundError:
        raise
    except Exception as error:  # Pillow's decoders raise errors of many kinds
        raise UnreadableImageError(f"{path} cannot be read as {kind} ({error}).") from error


def _identified(file):
    """Returns Pillow's image of a file whose header is read, but not its pixels.

    `Image.open` does the same and then checks Pillow's limit. (Pillow's reader of WebP checks it
    here too: a WebP file of more than twice the limit, 179 million pixels, cannot be read.)
    """
    Image.init()
    start = file.read(16)
    for name in _FORMATS:
        make, accepts = Image.OPEN[name]
        if accepts(start) is True:  # a str is the reason why this Pillow lacks the format
            file.seek(0)
            return make(file, file.name)
    raise OSError(f"its content is not {', '.join(_FORMATS)}")


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
