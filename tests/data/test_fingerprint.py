"""A fingerprint changes with whatever changes what a model learns, and with nothing else."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from kerascnn.data import load_classification, load_segmentation, load_upscaling

from . import folders

pytestmark = pytest.mark.filterwarnings("ignore")


def invert(path):
    """Other pixels of the same size, in a file of the same name."""
    with Image.open(path) as image:
        pixels = np.asarray(image)
    Image.fromarray(255 - pixels).save(path)


def swap(one, other):
    """Exchanges the contents of two files."""
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


def nothing(folder):
    pass


def touch(folder):
    for path in folder.rglob("*.png"):
        path.touch()


def invert_one(folder):
    invert(min(folder.rglob("*3.png")))


def swap_two(folder):
    """The same images and labels, but in exchanged places."""
    paths = sorted(folder.rglob("*.png"))
    swap(paths[0], paths[-1])


def rename_one(folder):
    path = min(folder.rglob("*3.png"))
    path.rename(path.with_name("x.png"))


def other_label(folder):
    """One image of each class becomes one of the other: the counts are the same."""
    shutil.move(folder / "cats" / "3.png", folder / "dogs" / "x.png")
    shutil.move(folder / "dogs" / "4.png", folder / "cats" / "x.png")


def other_split(folder):
    for split, name in (("training_set", "1.png"), ("test_set", "2.png")):
        shutil.move(folder / split / "cats" / name, folder / name)
    shutil.move(folder / "1.png", folder / "test_set" / "cats" / "new.png")
    shutil.move(folder / "2.png", folder / "training_set" / "cats" / "new.png")


def other_cell(folder):
    """Two rows of a table exchange their labels."""
    path = folder / "labels.csv"
    head, first, *rows, last = path.read_text().split()
    (one, label), (two, other) = first.split(","), last.split(",")
    assert label != other
    path.write_text("\n".join([head, f"{one},{other}", *rows, f"{two},{label}"]))


def other_mask(folder):
    path = min((folder / "masks").glob("*.png"))
    with Image.open(path) as mask:
        pixels = np.array(mask)
    pixels[0, 0] = 1 - pixels[0, 0]
    Image.fromarray(pixels).save(path)


def other_polygon(folder):
    path = folder / "annotations" / "instances_train2017.json"
    content = json.loads(path.read_text())
    content["annotations"][0]["segmentation"] = [[3, 3, 6, 3, 6, 5, 3, 5]]
    path.write_text(json.dumps(content))


def of_classes(folder):
    return folders.classes(folder, (12, 12))


def of_photos(folder):
    """JPEG files, which are not decoded to look at them."""
    return folders.classes(folder, (12, 12), suffix=".jpg")


def of_splits(folder):
    return folders.split_sets(folder)


def of_masks(folder):
    for i in range(12):
        folders.save(folder / "images" / f"{i}.png", folders.pixels(i))
        mask = np.zeros((folders.SIZE, folders.SIZE), np.uint8)
        mask[:, folders.SIZE // 2 :] = 1
        folders.save(folder / "masks" / f"{i}.png", mask)
    (folder / "classes.txt").write_text("sky\nroad\n")
    return folder


CHANGES = [
    (load_classification, of_classes, nothing, False),
    (load_classification, of_classes, touch, False),
    (load_classification, of_classes, invert_one, True),
    (load_classification, of_classes, swap_two, True),
    (load_classification, of_classes, rename_one, True),
    (load_classification, of_classes, other_label, True),
    (load_classification, of_splits, other_split, True),
    (load_classification, folders.table, nothing, False),
    (load_classification, folders.table, other_cell, True),
    (load_segmentation, of_masks, touch, False),
    (load_segmentation, of_masks, invert_one, True),
    (load_segmentation, of_masks, other_mask, True),
    (load_upscaling, of_classes, touch, False),
    (load_upscaling, of_classes, invert_one, True),
    (load_upscaling, of_classes, swap_two, True),
]


@pytest.mark.parametrize(("load", "make", "change", "expected"), CHANGES)
def test_a_fingerprint_is_of_images_labels_and_splits(tmp_path, load, make, change, expected):
    before = load(make(tmp_path / "here"))
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    change(tmp_path / "there")
    after = load(tmp_path / "there")
    assert before.num_examples == after.num_examples
    assert (before.report.fingerprint != after.report.fingerprint) == expected


def test_photos_that_are_not_decoded(tmp_path):
    before = load_classification(of_photos(tmp_path / "photos")).report.fingerprint
    assert load_classification(tmp_path / "photos").report.fingerprint == before
    path = tmp_path / "photos" / "cats" / "3.jpg"
    swap(path, path.with_name("4.jpg"))
    assert load_classification(tmp_path / "photos").report.fingerprint != before


@pytest.mark.extra("coco")
def test_annotations(tmp_path):
    before = load_segmentation(folders.coco(tmp_path)).report.fingerprint
    assert load_segmentation(tmp_path).report.fingerprint == before
    other_polygon(tmp_path)
    assert load_segmentation(tmp_path).report.fingerprint != before
