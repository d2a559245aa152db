"""Folders as people have them, made from a few pixels: one function for each kind.

Images of the first class are dark on the left, those of the second class on the right, so that a
small model learns them; every image is another one.
"""

import csv
import json
import unicodedata

import numpy as np
from PIL import Image

SIZE = 12
VOC_COLORS = {0: (0, 0, 0), 1: (128, 0, 0), 15: (192, 128, 128)}


def pixels(seed, label=0, size=(SIZE, SIZE), channels=None):
    """A uint8 image with noise, bright in the left or the right half."""
    rng = np.random.default_rng(seed)
    shape = size if channels is None else (*size, channels)
    image = rng.integers(10, 90, shape)
    half = size[1] // 2
    image[:, slice(None, half) if label == 0 else slice(half, None)] += 150
    return image.astype(np.uint8)


def save(path, image, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    picture.save(path, **options)
    return path


def classes(root, counts, names=("cats", "dogs"), seed=0, convert=None, suffix=".png"):
    """Folders of two classes with so many images each; `convert` makes other values of pixels."""
    for label, (name, count) in enumerate(zip(names, counts, strict=True)):
        for i in range(count):
            image = pixels((seed, label, i), label)
            save(root / name / f"{i}{suffix}", image if convert is None else convert(image))
    return root


def split_sets(root, form="{split}/{name}", splits=("training_set", "test_set"), count=10):
    """Folders of splits; `form` says how each is nested."""
    for seed, split in enumerate(splits):
        for label, name in enumerate(("cats", "dogs")):
            folder = root / form.format(split=split, name=name)
            for i in range(count if seed == 0 else 4):
                save(folder / f"{i}.png", pixels((seed, label, i), label))
    return root


def deep_png(image):
    """12 bits in a PNG of 16."""
    return Image.fromarray(image.astype(np.uint16) * 16)


def float_tiff(image):
    return Image.fromarray(image.astype(np.float32) / 255)


def int_tiff(image):
    return Image.fromarray(image.astype(np.int32))


def masks(
    root,
    count=6,
    values=(0, 1),
    convert=None,
    image_name="{i}.png",
    mask_name="{i}.png",
    folders=("images", "masks"),
    names="ground\nfield\n",
    size=(SIZE, SIZE),
    seed=0,
    **options,
):
    """Images and masks: the right half of each mask has the last value."""
    for i in range(count):
        image = pixels((seed, i, 5), 1, size, 3)
        save(root / folders[0] / image_name.format(i=i), image)
        stripes = np.array(values)[np.arange(size[1]) * len(values) // size[1]]
        mask = np.broadcast_to(stripes, size).astype(np.uint8)
        mask = np.roll(mask, i, axis=1)
        save(
            root / folders[1] / mask_name.format(i=i), convert(mask) if convert else mask, **options
        )
    if names:
        (root / "classes.txt").write_text(names)
    return root


def in_colors(colors):
    """A function from a mask of numbers to an RGB image."""
    table = np.zeros((256, 3), np.uint8)
    for number, color in colors.items():
        table[number] = color
    return lambda mask: Image.fromarray(table[mask])


def with_palette(colors):
    """A function from a mask of numbers to an image with a palette."""

    def convert(mask):
        picture = Image.fromarray(mask, "P")
        table = np.zeros((256, 3), np.uint8)
        for number, color in colors.items():
            table[number] = color
        picture.putpalette(table.ravel().tolist())
        return picture

    return convert


def exif(orientation):
    found = Image.Exif()
    found[0x0112] = orientation
    return found


# --- published layouts ----------------------------------------------------------


def pascal_voc(root):
    """Masks with the palette of VOC, all 21 classes and the border of 255."""
    palette = {i: tuple(voc_color(i)) for i in range(21)} | {255: (224, 224, 192)}
    for i in range(8):
        save(root / "JPEGImages" / f"2007_{i:06d}.jpg", pixels((1, i), 0, (21, 22), 3))
        mask = np.broadcast_to(np.append(np.arange(21), 255).astype(np.uint8), (21, 22))
        save(root / "SegmentationClass" / f"2007_{i:06d}.png", with_palette(palette)(mask))
    save(root / "JPEGImages" / "2007_999999.jpg", pixels((1, 99), 0, (21, 22), 3))
    lists = root / "ImageSets" / "Segmentation"
    lists.mkdir(parents=True)
    for name, chosen in (("train", range(5)), ("val", range(5, 8)), ("trainval", range(8))):
        (lists / f"{name}.txt").write_text("".join(f"2007_{i:06d}\n" for i in chosen))
    (root / "Annotations").mkdir()
    (root / "Annotations" / "2007_000000.xml").write_text("<annotation/>")
    return root


def voc_color(number):
    """The recipe of the VOC development kit: bits of the number, spread over the channels."""
    color = [0, 0, 0]
    for j in range(8):
        for channel in range(3):
            color[channel] |= (number >> channel & 1) << (7 - j)
        number >>= 3
    return color


def cityscapes(root, ids="labelIds"):
    """Two cities, masks of ids: 7 is road (train id 0), 26 is car (13), 0 is unlabeled."""
    known = {
        "labelIds": [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33, 0]
    }
    known["labelTrainIds"] = [*range(19), 255]
    for split, city, count in (("train", "aachen", 5), ("val", "ulm", 3), ("test", "bonn", 2)):
        for i in range(count):
            stem = f"{city}_{i:06d}_000019"
            image = pixels((*city.encode(), i), 0, (10, 20), 3)
            save(root / "leftImg8bit" / split / city / f"{stem}_leftImg8bit.png", image)
            mask = np.broadcast_to(np.array(known[ids], np.uint8), (10, 20))
            mask = mask * 0 if split == "test" else mask
            save(root / "gtFine" / split / city / f"{stem}_gtFine_{ids}.png", mask)
            save(root / "gtFine" / split / city / f"{stem}_gtFine_color.png", mask)
    return root


CAMVID = {
    "Animal": (64, 128, 64),
    "Sky": (128, 128, 128),
    "Road": (128, 64, 128),
    "Void": (0, 0, 0),
}


def camvid(root):
    """The published folders: `0001TP_006690.png` and `0001TP_006690_L.png`, colors in a table."""
    lines = [f"{r} {g} {b}\t{'' if r > 99 else chr(9)}{name}" for name, (r, g, b) in CAMVID.items()]
    (root / "label_colors.txt").parent.mkdir(parents=True, exist_ok=True)
    (root / "label_colors.txt").write_text("\n".join(lines) + "\n")
    masks(
        root,
        8,
        (0, 1, 2, 3),
        in_colors(dict(enumerate(CAMVID.values()))),
        "0001TP_{i:06d}.png",
        "0001TP_{i:06d}_L.png",
        ("701_StillsRaw_full", "LabeledApproved_full"),
        None,
    )
    return root


def ade20k(root):
    """Index masks from 1; 0 is what has no class."""
    for split, count in (("training", 5), ("validation", 3)):
        for i in range(count):
            stem = f"ADE_{split[:5]}_{i:08d}"
            save(
                root / "images" / split / f"{stem}.jpg", pixels((*split.encode(), i), 0, (8, 16), 3)
            )
            mask = np.broadcast_to(np.repeat(np.arange(4, dtype=np.uint8), 4), (8, 16))
            save(root / "annotations" / split / f"{stem}.png", mask)
    rows = ["Idx\tRatio\tTrain\tVal\tStuff\tName"]
    rows += [
        f"{i}\t0.1\t1\t1\t1\t{name}"
        for i, name in ((1, "wall"), (2, "building, edifice"), (3, "sky"))
    ]
    (root / "objectInfo150.txt").write_text("\n".join(rows) + "\n")
    return root


def coco(root):
    """A polygon, an uncompressed run length and a small object over a large one."""
    for split, count in (("train", 5), ("val", 3)):
        images, annotations = [], []
        for i in range(count):
            name = f"{i:012d}.jpg"
            save(root / f"{split}2017" / name, pixels((*split.encode(), i), 0, (10, 12), 3))
            images.append({"id": i + 1, "file_name": name, "height": 10, "width": 12})
            square = {"segmentation": [[2, 2, 8, 2, 8, 8, 2, 8]], "area": 36, "category_id": 3}
            small = {"segmentation": [[3, 3, 5, 3, 5, 5, 3, 5]], "area": 4, "category_id": 18}
            # Column by column: 100 pixels without, then the last two columns.
            runs = {"counts": [100, 20], "size": [10, 12]}
            crowd = {"segmentation": runs, "area": 20, "category_id": 18, "iscrowd": 1}
            for shape in (small, square, crowd):
                annotations.append({"id": len(annotations) + 1, "image_id": i + 1, **shape})
        content = {
            "images": images,
            "annotations": annotations,
            "categories": [
                {"id": i, "name": n} for i, n in ((3, "car"), (18, "dog"), (90, "brush"))
            ],
        }
        path = root / "annotations" / f"instances_{split}2017.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content))
    return root


def table(root, rows=None, name="labels.csv"):
    """Images in one folder, and a CSV file of their labels."""
    known = []
    for i in range(20):
        label = i % 2
        save(root / "files" / f"{i:03d}.png", pixels((3, i), label))
        known.append((f"{i:03d}.png", ("cat", "dog")[label]))
    with open(root / name, "w", newline="") as file:
        csv.writer(file).writerows([("file", "label"), *(rows or known)])
    return root


def oxford_pets(root):
    """Two breeds, with trimaps: 1 is the pet, 2 the background, 3 the border."""
    lists = {"trainval": [], "test": []}
    for label, breed in enumerate(("Abyssinian", "great_pyrenees")):
        for i in range(9):
            stem = f"{breed}_{i + 1}"
            save(root / "images" / f"{stem}.jpg", pixels((label, i), label, (9, 12), 3))
            mask = np.broadcast_to(np.repeat(np.array([1, 2, 3], np.uint8), 4), (9, 12))
            save(root / "annotations" / "trimaps" / f"{stem}.png", mask)
            (root / "annotations" / "trimaps" / f"._{stem}.png").write_bytes(b"Mac OS X")
            lists["test" if i > 6 else "trainval"].append(f"{stem} {label + 1} {label + 1} 1")
    for name, lines in lists.items():
        (root / "annotations" / f"{name}.txt").write_text("\n".join(lines) + "\n")
    every = [line for lines in lists.values() for line in lines]
    (root / "annotations" / "list.txt").write_text("#Image CLASS-ID\n" + "\n".join(every) + "\n")
    return root


def div2k(root, size=(80, 90)):
    for split, count in (("train", 4), ("valid", 2)):
        for i in range(count):
            save(
                root / f"DIV2K_{split}_HR" / f"{i:04d}.png",
                pixels((*split.encode(), i), 0, size, 3),
            )
            low = pixels((*split.encode(), i), 0, (40, 45), 3)
            save(root / f"DIV2K_{split}_LR_bicubic" / "X2" / f"{i:04d}x2.png", low)
    return root


def decomposed(text):
    return unicodedata.normalize("NFD", text)
