"""Folders in the layouts of published datasets."""

import json
import warnings

import numpy as np
import pytest
from PIL import Image

from kerascnn.arguments import UsageError
from kerascnn.data import (
    IGNORED,
    HeldOutWarning,
    load_classification,
    load_segmentation,
    load_upscaling,
)
from tests.data import folders
from tests.data.folders import masks
from tests.data.test_mask_layouts import mask_of


def test_pascal_voc(tmp_path):
    root = folders.pascal_voc(tmp_path / "VOCdevkit" / "VOC2012")
    for given in (root, tmp_path, tmp_path / "VOCdevkit"):
        with pytest.warns(HeldOutWarning, match="no test split: it gets 1 of the 5"):
            data = load_segmentation(given)
        assert data.report.layout == "Pascal VOC"
        assert data.num_examples == {"train": 4, "validation": 3, "test": 1}
    assert data.class_names[:3] == ("background", "aeroplane", "bicycle")
    np.testing.assert_array_equal(mask_of(data)[0], [*range(21), IGNORED])
    # The masks of labeling tools have the same colors without a palette.
    for path in sorted((root / "SegmentationClass").iterdir()):
        Image.open(path).convert("RGB").save(path)
    (root / "labelmap.txt").write_text(
        "# label:color_rgb:parts:actions\n"
        + "".join(
            f"{name}:{','.join(map(str, folders.voc_color(i)))}::\n"
            for i, name in enumerate(data.class_names)
        )
        + "void:224,224,192::\n"
    )
    with pytest.warns(HeldOutWarning):
        colored = load_segmentation(root)
    assert colored.ignored == ("void",)
    np.testing.assert_array_equal(mask_of(colored)[0], [*range(21), IGNORED])


@pytest.mark.parametrize("ids", ["labelIds", "labelTrainIds"])
def test_cityscapes(tmp_path, ids):
    with pytest.warns(HeldOutWarning):
        data = load_segmentation(folders.cityscapes(tmp_path, ids))
    assert data.num_examples == {"train": 4, "validation": 3, "test": 1}
    assert data.class_names[0] == "road"
    assert data.class_names[13] == "car"
    np.testing.assert_array_equal(next(data.examples("test"))[2][0], [*range(19), IGNORED])
    assert any("leftImg8bit/test/ is left out" in note for note in data.report.notes)


def test_camvid(tmp_path):
    data = load_segmentation(folders.camvid(tmp_path))
    assert data.class_names == ("Animal", "Sky", "Road", "Void")
    assert data.ignored == ("Void",)
    assert mask_of(data)[0].tolist() == [0] * 3 + [1] * 3 + [2] * 3 + [IGNORED] * 3
    assert "the mask of NAME is NAME_L." in data.report.notes


def test_ade20k(tmp_path):
    with pytest.warns(HeldOutWarning):
        data = load_segmentation(folders.ade20k(tmp_path))
    assert data.class_names == ("wall", "building", "sky")
    assert mask_of(data)[0].tolist() == [IGNORED] * 4 + [0] * 4 + [1] * 4 + [2] * 4


def coco_mask():
    expected = np.zeros((10, 12), int)
    expected[2:8, 2:8] = 1
    expected[:, 10:] = 2
    expected[3:5, 3:5] = 2
    return expected


@pytest.mark.extra("coco")
def test_coco(tmp_path):
    with pytest.warns(HeldOutWarning):
        data = load_segmentation(folders.coco(tmp_path))
    assert data.num_examples == {"train": 4, "validation": 3, "test": 1}
    assert data.class_names == ("background", "car", "dog")
    np.testing.assert_array_equal(mask_of(data), coco_mask())
    # As labeling services export it: next to the images of each split
    for split, name in (("train", "train"), ("val", "valid")):
        (tmp_path / f"{split}2017").rename(tmp_path / name)
        path = tmp_path / "annotations" / f"instances_{split}2017.json"
        path.rename(tmp_path / name / "_annotations.coco.json")
    with pytest.warns(HeldOutWarning):
        again = load_segmentation(tmp_path)
    assert again.num_examples == data.num_examples
    np.testing.assert_array_equal(mask_of(again), coco_mask())


def coco_of_cameras(root, names, files):
    """Annotations of images with one rectangle each, in another place for each name."""
    for i, file in enumerate(files):
        folders.save(root / file, folders.pixels((7, i), 0, (10, 12), 3))
    images = [
        {"id": i, "file_name": name, "height": 10, "width": 12} for i, name in enumerate(names)
    ]
    annotations = [
        {
            "id": i,
            "image_id": i,
            "category_id": 1,
            "area": 8,
            "segmentation": [[i, 2, i + 2, 2, i + 2, 6, i, 6]],
        }
        for i in range(len(names))
    ]
    content = {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 1, "name": "car"}],
    }
    path = root / "annotations" / "instances_default.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content))
    return root


@pytest.mark.extra("coco")
def test_coco_names_of_several_folders(tmp_path):
    names = [f"cam{i % 2}/{i // 2:04d}.jpg" for i in range(10)]
    coco_of_cameras(tmp_path, names, [f"images/{name}" for name in names])
    with pytest.warns(HeldOutWarning):
        data = load_segmentation(tmp_path)
    seen = {}
    for split in data.num_examples:
        for name, _, mask in data.examples(split):
            seen[name.removeprefix("images/")] = int(np.flatnonzero(mask.any(axis=0))[0])
    assert seen == {name: i for i, name in enumerate(names)}


@pytest.mark.extra("coco")
@pytest.mark.parametrize(
    ("names", "files", "sentence"),
    [
        (
            ["a/1.jpg", "b/1.jpg"],
            ["images/a/1.jpg"],
            "must name each image once; got 'a/1.jpg' and",
        ),
        (
            ["1.jpg", "2.jpg"],
            ["a/1.jpg", "b/1.jpg", "a/2.jpg"],
            "so that one file fits; got '1.jpg'",
        ),
    ],
)
def test_coco_names_that_are_not_clear_are_refused(tmp_path, names, files, sentence):
    with pytest.raises(UsageError, match=sentence):
        load_segmentation(coco_of_cameras(tmp_path, names, files))


@pytest.mark.extra("coco")
def test_coco_masks_of_stored_pixels_turn_with_their_image(tmp_path):
    names = [f"{i}.jpg" for i in range(10)]
    coco_of_cameras(tmp_path, names, [f"images/{name}" for name in names])
    for name in names:
        with Image.open(tmp_path / "images" / name) as image:
            image.load()
        folders.save(tmp_path / "images" / name, image, exif=folders.exif(6))
    with pytest.warns(HeldOutWarning):
        data = load_segmentation(tmp_path)
    for split in data.num_examples:
        for name, image, mask in data.examples(split):
            i = int(name.rpartition("/")[2].removesuffix(".jpg"))
            stored = np.zeros((10, 12), int)
            stored[2:6, i : i + 2] = 1
            assert image.shape[:2] == (12, 10)
            np.testing.assert_array_equal(mask, np.rot90(stored, -1))


@pytest.mark.extra("coco")
@pytest.mark.parametrize("content", ["[]", "{", '{"images": [], "annotations": 3}', "boxes"])
def test_other_annotations_are_refused(tmp_path, content):
    folders.coco(tmp_path)
    path = tmp_path / "annotations" / "instances_train2017.json"
    if content == "boxes":
        found = json.loads(path.read_text())
        for annotation in found["annotations"]:
            annotation["segmentation"] = []
        content = json.dumps(found)
    path.write_text(content)
    with pytest.raises(UsageError, match=r"instances_train2017\.json must .* Export it again"):
        load_segmentation(tmp_path)


@pytest.mark.extra("coco")
def test_coco_polygons_without_area_are_left_out(tmp_path):
    """As labeling tools write them for a click: no point, one, or a line."""
    folders.coco(tmp_path)
    path = tmp_path / "annotations" / "instances_train2017.json"
    found = json.loads(path.read_text())
    for annotation, polygons in zip(
        found["annotations"][:3], ([[]], [[], [1, 1]], [[1, 1, 9, 9]]), strict=True
    ):
        annotation["segmentation"] = polygons
    found["annotations"][3]["segmentation"].append([1, 1])  # the small square of the second image
    path.write_text(json.dumps(found))
    with pytest.warns(HeldOutWarning):
        data = load_segmentation(tmp_path)
    masks = {name: mask for name, _, mask in data.examples("train")}
    assert not masks.pop("train2017/000000000000.jpg").any()
    for mask in masks.values():
        np.testing.assert_array_equal(mask, coco_mask())


def coco_with(root, part, changes):
    """Annotations with changes in the first image, or in the first annotation."""
    path = folders.coco(root) / "annotations" / "instances_train2017.json"
    found = json.loads(path.read_text())
    found[part][0] |= changes
    path.write_text(json.dumps(found))


@pytest.mark.extra("coco")
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"category_id": 7}, "must have each category of its .* no category 7"),
        ({"image_id": []}, r"must be COCO annotations .*unhashable"),
        ({"area": "large"}, r"must be COCO annotations .*could not convert"),
        ({"segmentation": [["a"] * 6]}, r"or run lengths of 10x12 pixels for 0+\.jpg; got others"),
        ({"segmentation": [5]}, r"or run lengths of 10x12 pixels for 0+\.jpg; got others"),
        ({"segmentation": {"size": [10, 12]}}, "got others .'counts'"),
        ({"segmentation": {"counts": [100], "size": [10, 10]}}, "got others .wrong number"),
        ({"segmentation": {"counts": [50, 900], "size": [10, 12]}}, "got others .Invalid RLE"),
        ({"segmentation": {"counts": "zzz", "size": [10, 12]}}, "got others"),
    ],
)
def test_coco_annotations_that_cannot_be_drawn_are_refused(tmp_path, changes, sentence):
    coco_with(tmp_path, "annotations", changes)
    with pytest.raises(UsageError, match=rf"instances_train2017\.json .*{sentence}"):
        load_segmentation(tmp_path)


@pytest.mark.extra("coco")
@pytest.mark.parametrize(
    "changes", [{"height": "high"}, {"height": -1}, {"file_name": 3}, {"id": {}}]
)
def test_coco_images_that_cannot_be_are_refused(tmp_path, changes):
    coco_with(tmp_path, "images", changes)
    with pytest.raises(UsageError, match=r"instances_train2017\.json must be COCO annotations"):
        load_segmentation(tmp_path)


@pytest.mark.extra("coco")
def test_coco_sizes_of_other_images_are_refused_before_anything_is_drawn(tmp_path):
    coco_with(tmp_path, "images", {"height": 10**6, "width": 10**6})
    with pytest.raises(UsageError, match="1000000x1000000"):
        load_segmentation(tmp_path)


def test_oxford_pets(tmp_path):
    with pytest.warns(HeldOutWarning, match="no validation split: it gets 1 of the 14"):
        data = load_segmentation(folders.oxford_pets(tmp_path))
    assert data.scored_classes == ("pet", "background", "border")
    assert data.num_examples == {"train": 13, "validation": 1, "test": 4}
    assert mask_of(data, 1)[0].tolist() == [0] * 4 + [1] * 4 + [2] * 4


def test_div2k(tmp_path):
    data = load_upscaling(folders.div2k(tmp_path))
    assert data.num_examples == {"train": 3, "validation": 2, "test": 1}
    assert [image.size for image in data.images["validation"]] == [(80, 90)] * 2
    assert all("_HR/" in image.name for images in data.images.values() for image in images)
    assert "DIV2K_train_LR_bicubic/, DIV2K_valid_LR_bicubic/ are left out" in data.report.notes[0]


def test_a_published_layout_without_labels_is_not_classified(tmp_path):
    with pytest.raises(UsageError, match="which are for segmentation: `kerascnn segment train"):
        load_classification(folders.cityscapes(tmp_path))


def test_no_warning_for_good_masks(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = load_segmentation(masks(tmp_path))
    assert data.report.masks == "by number, 0 ground, 1 field, 255 is ignored"
