"""Image files of every kind, read with Pillow."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from kerascnn.data.pixels import luminance, over_white

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")


class UnreadableImageError(OSError):
    """A file that is no image, or a broken one."""


def image_files(folder):
    """Image files below a folder, by suffix, sorted; hidden files and folders are passed over.

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
    """Image files among paths: files themselves, and the images below folders.

    Args:
        paths: list of paths.

    Returns:
        list of `pathlib.Path`.

    Raises:
        FileNotFoundError: if there is no such file or folder.
        ValueError: if a folder holds no images.
    """
    files = []
    for path in map(Path, paths):
        if not path.exists():
            raise FileNotFoundError(f"There is no file or folder {path}.")
        found = image_files(path) if path.is_dir() else [path]
        if not found:
            raise ValueError(f"{path} must hold images ({', '.join(SUFFIXES)}); got none.")
        files += found
    return files


def read_image(path, channels=None):
    """Reads an image as a person would see it.

    Rotates by EXIF orientation, resolves palettes, puts transparent pixels on white and takes the
    upper eight bits of sixteen. Of an animation, the first frame is read.

    Args:
        path: path of a file of any format and mode that Pillow reads.
        channels: 1 or 3, or `None` for what the file has.

    Returns:
        uint8 array of shape `(height, width, channels)`.

    Raises:
        UnreadableImageError: if the file is no image, is broken, or may not be read.
        FileNotFoundError: if there is no such file.

    Example:
        >>> import pathlib
        >>> import sklearn.datasets
        >>> import kerascnn
        >>> folder = pathlib.Path(sklearn.datasets.__file__).parent / "images"
        >>> kerascnn.data.read_image(folder / "flower.jpg").shape
        (427, 640, 3)
    """
    try:
        with Image.open(path) as image:
            image.load()
            pixels = _pixels(ImageOps.exif_transpose(image))
    except FileNotFoundError:
        raise
    except Exception as error:  # Pillow's decoders raise errors of many kinds
        raise UnreadableImageError(f"{path} cannot be read as an image ({error}).") from error
    if channels == 1 and pixels.shape[-1] == 3:
        return luminance(pixels.astype(np.int32)).astype(np.uint8)
    if channels == 3 and pixels.shape[-1] == 1:
        return np.repeat(pixels, 3, axis=-1)
    return pixels


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
