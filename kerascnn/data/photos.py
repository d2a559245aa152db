"""Pictures without labels, to learn upscaling from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.datasets import load_sample_image

from kerascnn.data.embedded import embedded
from kerascnn.data.images import SUFFIXES, UnreadableImageError, image_files, read_image
from kerascnn.data.readable import readable
from kerascnn.data.source import SPLITS
from kerascnn.data.splits import cut, split_folders
from kerascnn.storage.printable import printable

# Where the training part of the embedded photograph ends, in its 640 columns
_TRAINING_COLUMNS = 480

EMBEDDED_PHOTOS = ("photos",)


@dataclass(frozen=True)
class Photo:
    """A picture that is not yet read.

    Args:
        name: str, its file, below the folder of the set.
        size: pair `(height, width)`.
        read: function without arguments that returns a uint8 array `(height, width, 3)`.
    """

    name: str
    size: tuple[int, int]
    read: Callable[[], np.ndarray]


@dataclass(frozen=True)
class Photos:
    """A set of pictures.

    Args:
        name: str, the name of the set or the path of the folder.
        pictures: `{split: tuple of Photo}`.
    """

    name: str
    pictures: Mapping[str, tuple[Photo, ...]]


def find_photos(name_or_folder, strict=False, smallest=1):
    """Finds a set of pictures.

    A folder may have a subfolder for each split (what is missing of validation and test is then
    cut from training); otherwise all pictures below it are taken. A cut takes a tenth, at least one
    picture, chosen by a hash of the file's name. Each picture is read once to see that it is whole.

    Args:
        name_or_folder: `"photos"` (embedded: the two sample photographs of scikit-learn, of
            `china.jpg` the left three quarters to train on and the rest for validation,
            `flower.jpg` for the test), or a folder of pictures.
        strict: bool, whether a broken or too small picture is an error; otherwise it is skipped
            with a `SkippedImageWarning`.
        smallest: int, how many pixels high and wide a picture must be.

    Returns:
        `Photos`.

    Raises:
        FileNotFoundError: if there is no such folder.
        ValueError: if it holds no pictures that are large enough.
        UnreadableImageError: if `strict` and a picture is broken.

    Example:
        >>> import kerascnn
        >>> photos = kerascnn.data.find_photos("photos")
        >>> [(photo.name, photo.size) for photo in photos.pictures["test"]]
        [('flower.jpg', (427, 640))]
    """
    name = str(name_or_folder)
    if embedded(name, EMBEDDED_PHOTOS):
        return _photos()
    if not Path(name).is_dir():
        raise FileNotFoundError(
            f"There is no folder {name}; pictures to upscale are 'photos' or those of a folder."
        )
    return _photo_folder(Path(name).resolve(), strict, smallest)


def _photos():
    def part(name, columns):
        # Decoded as the files of users are: scikit-learn's own decoder is Pillow as well.
        picture = load_sample_image(name)[:, columns]
        return (Photo(name, picture.shape[:2], lambda: picture),)

    return Photos(
        "photos",
        {
            "train": part("china.jpg", slice(_TRAINING_COLUMNS)),
            "validation": part("china.jpg", slice(_TRAINING_COLUMNS, None)),
            "test": part("flower.jpg", slice(None)),
        },
    )


def _photo_folder(root, strict, smallest):
    trees = split_folders(root)
    if trees["train"] is None:
        kept_apart = [tree for tree in trees.values() if tree is not None]
        if kept_apart:
            raise ValueError(
                f"{root} must have a train folder beside {kept_apart[0].name}; there is none."
            )
        trees["train"] = root
    files, sizes = {}, {}
    for split, tree in trees.items():
        if tree is not None:
            files[split] = _usable(image_files(tree), sizes, strict, smallest)
    if not any(files.values()):
        raise ValueError(
            f"{root} must hold pictures of at least {smallest}x{smallest} pixels "
            f"({', '.join(SUFFIXES)}); got none."
        )
    for split in ("validation", "test"):
        if split not in files:
            files["train"], files[split] = cut(files["train"], root)

    def photo(path):
        name = printable(path.relative_to(root).as_posix())
        return Photo(name, sizes[path], lambda: read_image(path, channels=3))

    return Photos(str(root), {split: tuple(map(photo, files[split])) for split in SPLITS})


def _usable(paths, sizes, strict, smallest):
    """The readable pictures that are large enough; notes the size of each in `sizes`."""

    def size(path):
        height, width = read_image(path).shape[:2]
        if min(height, width) < smallest:
            raise ValueError(
                f"{path} must be at least {smallest} pixels high and wide; got {height}x{width}."
            )
        return height, width

    found = readable(paths, size, strict, (UnreadableImageError, ValueError))
    sizes |= found
    return list(found)
