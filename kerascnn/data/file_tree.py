"""Finds the image files below a folder, and reports the other files."""

import os
import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from kerascnn.arguments import UsageError

# Names of folders of images, in order of preference, without regard to case and punctuation.
IMAGE_FOLDERS = (
    "images",
    "image",
    "imgs",
    "img",
    "jpegimages",
    "rgb",
    "photos",
    "frames",
    "701stillsrawfull",
    "stills",
    "leftimg8bit",
    "input",
)

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
# Pillow's names of the supported formats. Each is decoded within the process, from the file alone
# (an EPS file would start Ghostscript).
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
# Folders that systems and programs create: macOS, Synology, QNAP, Windows
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

    Hidden files and system files (`__MACOSX`, `@eaDir`, `Thumbs.db` ...) are skipped. Linked
    folders are searched too, each once.

    Args:
        folder: path.

    Returns:
        `Found`.
    """
    images, others = [], []
    for entry in _files(folder):
        (images if _is_image(entry) else others).append(Path(entry.path))
    return Found(tuple(sorted(images, key=by_parts)), tuple(sorted(others, key=by_parts)))


def image_files(folder: str | Path) -> list[Path]:
    """Returns the sorted image files below a folder, by content or suffix, without hidden files.

    Example:
        >>> import pathlib
        >>> import sklearn.datasets
        >>> import kerascnn
        >>> folder = pathlib.Path(sklearn.datasets.__file__).parent / "images"
        >>> [path.name for path in kerascnn.data.image_files(folder)]
        ['china.jpg', 'flower.jpg']
    """
    return list(find_images(folder).images)


def files_of(paths):
    """Returns the given image files, and the image files below the given folders.

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


def subfolders(folder):
    """Returns the folders in a folder, sorted by name, without hidden and system folders."""
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if entry.is_dir() and not is_junk(entry.name)]
    return [Path(folder, name) for name in sorted(names)]


def images_in(folder):
    """Returns the image files directly in a folder, sorted."""
    with os.scandir(folder) as entries:
        found = [entry for entry in entries if not is_junk(entry.name) and _is_image(entry)]
    return sorted((Path(entry.path) for entry in found), key=by_parts)


def has_images(folder):
    """Returns whether there is an image file anywhere below a folder."""
    return any(map(_is_image, _files(folder)))


def is_junk(name):
    """Returns whether a name belongs to a hidden file or a system file."""
    folded = name.casefold()
    return name.startswith(".") or folded in _JUNK_FOLDERS or folded in _JUNK_FILES


def composed(text):
    """Returns a name in composed Unicode, for comparisons (macOS decomposes names)."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def left_out(paths, root):
    """Returns a message about ignored files: their number by suffix, and the first one.

    Args:
        paths: list of paths.
        root: path of the folder that contains them.
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
    """Returns Pillow's name of a file format from the first bytes, or `None`.

    Args:
        start: the first 16 bytes of the file.
    """
    Image.init()
    for name in FORMATS:
        accepts = Image.OPEN[name][1]
        if accepts(start) is True:  # a str says why this Pillow lacks the format
            return name
    return None


def names_below(paths, root):
    """Returns the names of files below a folder: their paths from there, with `/`.

    Args:
        paths: list of paths that begin with `root`.
        root: path.
    """
    start = len(os.path.join(root, ""))
    return [os.fspath(path)[start:].replace(os.sep, "/") for path in paths]


def by_parts(path):
    """Returns a key that sorts paths as `pathlib` does, by their parts, in less time."""
    return os.fspath(path).replace(os.sep, "\0")


def _files(folder):
    """Yields the entries of the files below a folder, as `find_images` searches it."""
    places, seen = [folder], set()
    while places:
        place, inside = places.pop(), []
        for entry in _entries(place):
            if is_junk(entry.name):
                continue
            if _is_folder(entry):
                inside.append(entry.name)
            else:
                yield entry
        new = [os.path.join(place, name) for name in sorted(inside) if _is_new(place, name, seen)]
        places += reversed(new)


def _entries(folder):
    try:
        with os.scandir(folder) as found:
            yield from found
    except OSError:  # as `os.walk` does
        return


def _is_folder(entry):
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _is_image(entry):
    """Returns whether an entry is a regular file with an image suffix or image content."""
    try:
        if not entry.is_file():
            return False
        if entry.name.lower().endswith(SUFFIXES):
            return True
        with open(entry, "rb") as file:
            start = file.read(16)
    except OSError:
        return False
    # Two letters do not identify a format: text may begin with "BM" or "P3".
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
