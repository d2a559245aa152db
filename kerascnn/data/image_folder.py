"""A folder of images without labels."""

from pathlib import Path

from kerascnn.arguments import UsageError
from kerascnn.data.images import SUFFIXES, UnreadableImageError, image_files, read_image
from kerascnn.data.readable import readable
from kerascnn.data.splits import SPLITS, cut, split_folders
from kerascnn.data.upscaling import StoredImage, UpscalingData
from kerascnn.storage.printable import printable


def image_folder(path, strict=False, smallest=1):
    """Finds the images of a folder and reads each once; arguments as in `load_upscaling`.

    Raises:
        UsageError: if there are no images that are large enough, or images to test on but none
            to train on.
        UnreadableImageError: if `strict` and an image is broken.
    """
    root = Path(path).resolve()
    trees = split_folders(root)
    if trees["train"] is None:
        kept_apart = [tree for tree in trees.values() if tree is not None]
        if kept_apart:
            raise UsageError(
                f"{root} must have a train folder next to {kept_apart[0].name}; there is none."
            )
        trees["train"] = root
    files, sizes = {}, {}
    for split, tree in trees.items():
        if tree is not None:
            files[split] = _usable(image_files(tree), sizes, strict, smallest)
    if not any(files.values()):
        raise UsageError(
            f"{root} must have images of at least {smallest}x{smallest} pixels "
            f"({', '.join(SUFFIXES)}); got none."
        )
    for split in ("validation", "test"):
        if split not in files:
            files["train"], files[split] = cut(files["train"], root)

    def stored(path):
        name = printable(path.relative_to(root).as_posix())
        return StoredImage(name, sizes[path], lambda: read_image(path, channels=3))

    return UpscalingData(
        str(root), {split: tuple(map(stored, files[split])) for split in SPLITS}, smallest
    )


def _usable(paths, sizes, strict, smallest):
    """Returns the readable images that are large enough; notes the size of each in `sizes`."""

    def size(path):
        height, width = read_image(path).shape[:2]
        if min(height, width) < smallest:
            raise UsageError(
                f"{path} must be at least {smallest} pixels high and wide; got {height}x{width}."
            )
        return height, width

    found = readable(paths, size, strict, (UnreadableImageError, UsageError))
    sizes |= found
    return list(found)
