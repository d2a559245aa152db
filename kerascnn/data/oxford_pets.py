"""The Oxford-IIIT pets as published: `images/`, `annotations/list.txt`, `annotations/trimaps/`.

Source: [Parkhi et al., 2012](https://www.robots.ox.ac.uk/~vgg/data/pets/).
"""

from kerascnn.data.file_tree import find_images
from kerascnn.data.splits import SPLITS

# Names of the trimap values, starting at 0
TRIMAP = ("none", "pet", "background", "border")
_LISTS = {"train": "trainval.txt", "test": "test.txt"}


def is_oxford_pets(root):
    """Returns whether a folder has this layout."""
    lists = root / "annotations"
    known = any((lists / name).is_file() for name in ("list.txt", *_LISTS.values()))
    return known and (root / "images").is_dir()


def listed(root):
    """Returns `({split: [(image, breed)]}, ignored paths)`."""
    found = find_images(root / "images")
    images = {path.stem: path for path in found.images}
    names = {split: root / "annotations" / name for split, name in _LISTS.items()}
    names = {split: path for split, path in names.items() if path.is_file()}
    names = names or {"train": root / "annotations" / "list.txt"}
    splits = {}
    for split in SPLITS:
        if split in names:
            lines = names[split].read_text("utf-8").splitlines()
            stems = [line.split()[0] for line in lines if line.strip() and line[0] != "#"]
            splits[split] = [(images[stem], breed_of(stem)) for stem in stems if stem in images]
    used = {image for pairs in splits.values() for image, _ in pairs}
    return splits, [*(path for path in found.images if path not in used), *found.others]


def breed_of(stem):
    """Returns the breed from the name of an image: `great_pyrenees` for `great_pyrenees_12`."""
    return stem.rpartition("_")[0] or stem
