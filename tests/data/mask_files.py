"""Small folders of images and masks."""

import numpy as np
from PIL import Image

CLASSES = ("sky", "road", "car", "void")


def save_pair(folder, name, size=(20, 30), values=(0, 1, 2, 3), mode="L"):
    """A random image, and a mask that has these values in stripes."""
    rng = np.random.default_rng(list(name.encode()))
    for kind in ("images", "masks"):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    image = rng.integers(0, 256, (*size, 3), np.uint8)
    mask = np.resize(np.repeat(np.array(values, np.uint8), 3), size)
    Image.fromarray(image).save(folder / "images" / f"{name}.jpg")
    picture = Image.fromarray(mask)
    if mode == "P":
        picture.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9])
    picture.save(folder / "masks" / f"{name}.png")
    return image, mask


def make_folder(tmp_path):
    """Four pairs to train on, and two each for validation and the test."""
    root = tmp_path / "streets"
    for split, count in (("train", 4), ("val", 2), ("test", 2)):
        for i in range(count):
            save_pair(root / split, f"{split}{i}")
    (root / "classes.txt").write_text("\n".join(CLASSES) + "\n")
    return root
