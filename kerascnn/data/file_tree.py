"""The image files below a folder, and what is left out."""

import os
import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

SUFFIXES = (
    ".bmp",
    ".gif",
    ".jfif",
    ".jpe",
    ".jpeg",
    ".jpg",
    ".pbm",
    ".pgm",
    ".png",
    ".pnm",
    ".ppm",
    ".tif",
    ".tiff",
    ".webp",
)
# Pillow's names of the formats that are read: each is decoded within the process, from the file
# alone (an EPS file would start Ghostscript).
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
# What systems and programs leave in folders: macOS, Synology, QNAP, Windows
_JUNK_FOLDERS = ("__macosx", "@eadir", "#recycle", "@recycle", "$recycle.bin", "lost+found")
_JUNK_FILES = ("thumbs.db", "desktop.ini", "icon\r")
_NAMED = 3


@dataclass(frozen=True)
class Found:
    """The files below a folder.

    Args:
        images: paths of the image files, sorted.
        others: paths of files that are not images, sorted.
    """

    images: tuple[Path, ...]
    others: tuple[Path, ...] = ()


def find_images(folder):
    """Finds image files below a folder, by their content or their suffix.

    Hidden files and what systems leave behind (`__MACOSX`, `@eaDir`, `Thumbs.db` ...) are passed
    over. Linked folders are searched too, each once.

    Args:
        folder: path.

    Returns:
        `Found`.
    """
    images, others, seen = [], [], set()
    for place, folders, files in os.walk(folder, followlinks=True):
        folders[:] = sorted(
            name for name in folders if not is_junk(name) and _is_new(place, name, seen)
        )
        for name in files:
            if is_junk(name):
                continue
            path = Path(place, name)
            (images if _is_image(path) else others).append(path)
    return Found(tuple(sorted(images)), tuple(sorted(others)))


def subfolders(folder):
    """Returns the folders in a folder, sorted by name, without hidden ones and junk."""
    return sorted(
        (entry for entry in Path(folder).iterdir() if entry.is_dir() and not is_junk(entry.name)),
        key=lambda entry: entry.name,
    )


def images_in(folder):
    """Returns the image files directly in a folder, sorted."""
    return sorted(
        entry for entry in Path(folder).iterdir() if not is_junk(entry.name) and _is_image(entry)
    )


def has_images(folder):
    """Returns whether there is an image file anywhere below a folder."""
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not is_junk(name)]
        if any(not is_junk(name) and _is_image(Path(place, name)) for name in files):
            return True
    return any(has_images(entry) for entry in subfolders(folder) if entry.is_symlink())


def is_junk(name):
    """Returns whether a name is hidden, or that of something systems leave in folders."""
    folded = name.casefold()
    return name.startswith(".") or folded in _JUNK_FOLDERS or folded in _JUNK_FILES


def composed(text):
    """Returns a name in the one form of Unicode that names are compared in (macOS decomposes)."""
    return unicodedata.normalize("NFC", text)


def left_out(paths, root):
    """Returns a sentence for files that are left out: how many of which suffix, and the first.

    Args:
        paths: list of paths.
        root: path that they are below.
    """
    suffixes = Counter(path.suffix.lower() or "no suffix" for path in paths)
    counts = ", ".join(f"{count:,} {suffix}" for suffix, count in suffixes.most_common(_NAMED))
    if len(suffixes) > _NAMED:
        counts += f" and {len(suffixes) - _NAMED} more kinds"
    first = next(iter(paths))
    if root in first.parents:
        first = first.relative_to(root)
    if len(paths) == 1:
        return f"1 file is left out: {first}."
    return f"{len(paths):,} files are left out: {counts}; the first is {first}."


def format_by_content(start):
    """Returns Pillow's name of the format of a file that begins so, or `None`.

    Args:
        start: the first 16 bytes.
    """
    Image.init()
    for name in FORMATS:
        accepts = Image.OPEN[name][1]
        if accepts(start) is True:  # a str is the reason why this Pillow lacks the format
            return name
    return None


def _is_image(path):
    """Whether a regular file has the suffix of an image, or the content of one."""
    if not path.is_file():
        return False
    if path.suffix.lower() in SUFFIXES:
        return True
    try:
        with open(path, "rb") as file:
            start = file.read(16)
    except OSError:
        return False
    # Two letters are too few to know a format by: text may begin with "BM" or "P3".
    return format_by_content(start) not in (None, "BMP", "PPM")


def _is_new(place, name, seen):
    path = os.path.join(place, name)
    if not os.path.islink(path):
        return True
    real = os.path.realpath(path)
    if real in seen or Path(real) in (Path(os.path.realpath(place)) / "here").parents:
        return False
    seen.add(real)
    return True
