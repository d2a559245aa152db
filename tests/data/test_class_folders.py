"""Folders of classes as people have them: a test for each kind, with the right values."""

import warnings

import numpy as np
import pytest
from PIL import Image

from kerascnn.arguments import UsageError
from kerascnn.data import FolderWarning, load_classification, read_image
from tests.data import folders


@pytest.mark.parametrize(
    ("form", "splits"),
    [
        ("{split}/{name}", ("training_set", "test_set")),
        ("{split}/{split}/{name}", ("training_set", "test_set")),
        ("{split}/{split}/{name}", ("seg_train", "seg_test")),
        ("archive/{split}/{name}", ("Train", "Eval")),
        ("{split}/{name}", ("train", "holdout")),
        ("{name}/{split}", ("train", "test")),
    ],
)
def test_folders_of_splits(tmp_path, form, splits):
    data = load_classification(folders.split_sets(tmp_path, form, splits))
    assert data.class_names == ("cats", "dogs")
    # Two of 20 are held out for validation: one of each class
    assert data.num_examples == {"train": 18, "validation": 2, "test": 8}
    assert all(splits[1] in name for name in data.file_names["test"])
    assert np.bincount(data.labels("validation")).tolist() == [1, 1]
    for _, image, label in data.examples("test"):
        assert (image[:, :6].mean() > image[:, 6:].mean()) == (label == 0)


def test_dev_and_holdout(tmp_path):
    folders.split_sets(tmp_path, splits=("train", "dev", "holdout"))
    data = load_classification(tmp_path)
    assert data.num_examples == {"train": 20, "validation": 8, "test": 8}
    assert data.report.splits == {"train": "train/", "validation": "dev/", "test": "holdout/"}


def test_what_is_in_no_split_is_said(tmp_path):
    folders.split_sets(tmp_path)
    folders.save(tmp_path / "extra" / "1.png", folders.pixels(99))
    (tmp_path / "test_set" / "cats" / "notes.txt").write_text("notes")
    notes = load_classification(tmp_path).report.notes
    assert notes[0] == "extra/ is left out: its 1 images are in no split."
    assert notes[1] == "1 file is left out: test_set/cats/notes.txt."


def test_a_class_that_is_called_train(tmp_path):
    folders.classes(tmp_path, (6, 6), ("train", "bus"))
    data = load_classification(tmp_path)
    assert data.class_names == ("bus", "train")
    assert "train is read as a class" in data.report.notes[0]


def test_splits_without_classes_are_refused(tmp_path):
    folders.classes(tmp_path, (6, 6), ("training_set", "test_set"))
    with pytest.raises(UsageError, match=r"images without classes there\. .*`mkdir test_set/CLASS"):
        load_classification(tmp_path)


def test_splits_in_some_classes_only_are_refused(tmp_path):
    folders.split_sets(tmp_path, "{name}/{split}", ("train", "test"))
    folders.save(tmp_path / "emus" / "1.png", folders.pixels(7))
    with pytest.raises(
        UsageError, match=r"cats has train, test, and emus has none.*`mkdir emus/tr"
    ):
        load_classification(tmp_path)


DEEP = {
    "16": (folders.deep_png, ".png", (0, 4095), "16-bit values from 0 to 4095"),
    "float": (folders.float_tiff, ".tiff", None, "float values from 0 to 1"),
    "int32": (folders.int_tiff, ".tif", (0, 255), "32-bit integer values from 0 to 255"),
}


@pytest.mark.parametrize("kind", DEEP)
def test_deep_images_are_scaled_by_type_or_range(tmp_path, kind):
    convert, suffix, _, sentence = DEEP[kind]
    data = load_classification(folders.classes(tmp_path, (10, 10), convert=convert, suffix=suffix))
    assert sentence in data.report.images
    for name, image, label in data.examples("train"):
        number = int(name.rpartition("/")[2].removesuffix(suffix))
        plain = folders.pixels((0, label, number), label)
        # 16 x of 4095 is x of 255.94
        np.testing.assert_allclose(image[..., 0], plain, atol=1)
        assert np.asarray(image).std() > 50


def test_the_range_of_the_training_set_is_that_of_all(tmp_path):
    folders.classes(tmp_path / "train", (6, 6), convert=folders.deep_png)
    bright = Image.fromarray(np.full((12, 12), 65535, np.uint16))
    for name in ("cats", "dogs"):
        folders.save(tmp_path / "val" / name / "bright.png", bright)
        folders.save(tmp_path / "test" / name / "1.png", folders.deep_png(folders.pixels(1)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FolderWarning)  # equal images in two classes and splits
        data = load_classification(tmp_path)
    assert data.report.value_ranges == {"uint16": (0, 4095)}
    assert {int(image.max()) for _, image, _ in data.examples("validation")} == {255}
    again = load_classification(tmp_path / "train", value_ranges={"uint16": (0, 8190)})
    assert max(image.max() for _, image, _ in again.examples("train")) < 130


def test_images_that_are_all_alike_are_refused(tmp_path):
    for name in ("cats", "dogs"):
        for i in range(3):
            folders.save(tmp_path / name / f"{i}.png", folders.pixels(0))
    with pytest.raises(UsageError, match="training images of .* must differ; all of them have the"):
        load_classification(tmp_path)


def test_images_that_hardly_differ_are_told(tmp_path):
    folders.classes(tmp_path, (6, 6), convert=lambda image: image // 100)
    with pytest.warns(FolderWarning, match=r"are in \[0, 2\] of 255"):
        load_classification(tmp_path)


def test_colors_of_sixteen_bits_that_hold_twelve_are_refused(tmp_path):
    import tensorflow as tf

    for label, name in enumerate(("cats", "dogs")):
        for i in range(3):
            image = folders.pixels((label, i), label, channels=3).astype(np.uint16) * 16
            path = tmp_path / name / f"{i}.png"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(tf.io.encode_png(image).numpy())
    with pytest.raises(UsageError, match="colors of 16 bits, of which the upper 8 .*`mogrify"):
        load_classification(tmp_path)


def test_images_are_known_by_their_content(tmp_path):
    """20 `.jfif`, 3 `.jpg`, a traffic sign in `.ppm`, a name without suffix."""
    for label, name in enumerate(("cats", "dogs")):
        for i in range(20):
            image = Image.fromarray(folders.pixels((label, i), label))
            folders.save(tmp_path / name / f"{i}.jfif", image, format="JPEG")
        for i in range(3):
            folders.save(tmp_path / name / f"{i}.jpg", folders.pixels((label, i, 1), label))
        folders.save(tmp_path / name / "sign.ppm", folders.pixels((label, 77), label, channels=3))
        image = Image.fromarray(folders.pixels((label, 78), label))
        folders.save(tmp_path / name / "scan", image, format="PNG")
        (tmp_path / name / "readme.md").write_text("BM is how a text may begin")
    data = load_classification(tmp_path)
    assert sum(data.num_examples.values()) == 2 * (20 + 3 + 1 + 1)
    assert data.report.notes == ("2 files are left out: 2 .md; the first is cats/readme.md.",)


def test_what_systems_leave_behind_is_passed_over(tmp_path):
    folders.classes(tmp_path, (6, 6))
    small = folders.pixels(5, size=(4, 4))
    for path in ("__MACOSX/cats/._1.png", "@eaDir/1.png", "cats/@eaDir/1.png", ".cache/x.png"):
        folders.save(tmp_path / path, small)
    for path in ("cats/Thumbs.db", "dogs/._2.png", "dogs/.DS_Store", "dogs/desktop.ini"):
        (tmp_path / path).write_bytes(b"\0\1")
    data = load_classification(tmp_path)
    assert data.class_names == ("cats", "dogs")
    assert sum(data.num_examples.values()) == 12
    assert data.report.notes == ()


def test_rare_classes_are_in_every_split_and_told(tmp_path):
    folders.classes(tmp_path, (95, 5))
    with pytest.warns(FolderWarning, match="from dogs with 5 to cats with 95.*`--balance`") as told:
        data = load_classification(tmp_path)
    assert len(told) == 1
    for split, counts in (("train", [77, 3]), ("validation", [10, 1]), ("test", [8, 1])):
        assert np.bincount(data.labels(split)).tolist() == counts


def test_a_class_of_one_image_is_told(tmp_path):
    folders.classes(tmp_path, (6, 1))
    with pytest.warns(
        FolderWarning, match=r"without an image to measure .*: dogs \(validation and test\)"
    ):
        load_classification(tmp_path)


def test_balanced_data_have_each_class_equally_often(tmp_path):
    folders.classes(tmp_path, (25, 7))
    data = load_classification(tmp_path).balanced()
    # 21 and 5 are left for the training.
    assert np.bincount(data.labels()).tolist() == [21, 21]
    assert data.num_examples["train"] == 42
    labels = np.concatenate([labels for _, labels in data.pipeline("train", batch_size=7)])
    assert np.bincount(labels).tolist() == [21, 21]
    names = np.array(data.file_names["train"])
    assert {int((names == name).sum()) for name in names if name.startswith("dogs")} == {4, 5}
    for name, image, _ in data.examples("train"):
        np.testing.assert_array_equal(image, read_image(tmp_path / name))


def test_equal_images_in_two_splits_and_classes_are_told(tmp_path):
    folders.classes(tmp_path / "train", (6, 6))
    folders.classes(tmp_path / "test", (3, 3), seed=1)
    same = folders.pixels((0, 0, 2), 0)
    folders.save(tmp_path / "test" / "cats" / "copy.bmp", same)
    with pytest.warns(
        FolderWarning, match=r"1 images of .* splits with .*cats/2\.png \(.*copy\.bmp"
    ):
        load_classification(tmp_path)
    (tmp_path / "test" / "cats" / "copy.bmp").rename(tmp_path / "train" / "dogs" / "copy.bmp")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        load_classification(tmp_path)
    told = [str(warning.message) for warning in told]
    (line,) = (line for line in told if "equal pixels in two classes: " in line)
    assert "train/cats/2.png" in line
    assert "train/dogs/copy.bmp" in line


def test_a_table_of_labels(tmp_path):
    data = load_classification(folders.table(tmp_path))
    assert data.class_names == ("cat", "dog")
    assert sum(data.num_examples.values()) == 20
    assert data.report.layout == "images with labels in labels.csv"
    for _, image, label in data.examples("train"):
        assert (image[:, :6].mean() > image[:, 6:].mean()) == (label == 0)


def test_forms_of_tables(tmp_path):
    """Names without suffix, paths, a column of splits, numbers as labels, missing files."""
    folders.table(tmp_path)
    rows = [("0", f"{i:03d}", 10 * (i % 2), "valid" if i > 15 else "train") for i in range(20)]
    rows.append(("0", "999", 0, "train"))
    lines = [";".join(map(str, row)) for row in (("n", "id", "label", "split"), *rows)]
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    with pytest.warns(FolderWarning, match="1 rows of .*labels.csv name files that are not in"):
        data = load_classification(tmp_path)
    assert data.class_names == ("0", "10")
    assert data.num_examples == {"train": 14, "validation": 4, "test": 2}
    (tmp_path / "labels.csv").write_text(
        "".join(f"./files/{i:03d}.png,{'ab'[i % 2]}\n" for i in range(18))
    )
    data = load_classification(tmp_path)
    assert data.class_names == ("a", "b")
    assert data.report.notes[0].startswith("2 images without a label are left out")


def test_tables_that_are_not_clear_are_refused(tmp_path):
    folders.table(tmp_path)
    rows = "".join(f"{i:03d}.png,{'ab'[i % 2]},{'xy'[i % 2]}\n" for i in range(20))
    (tmp_path / "labels.csv").write_text("file,size,color\n" + rows)
    with pytest.raises(
        UsageError, match=r"must have a column `label`.*size, color.*`cut -d, -f1,2"
    ):
        load_classification(tmp_path)
    (tmp_path / "labels.csv").write_text("file,label\n000.png,a\n000.png,b\n001.png,a\n")
    with pytest.raises(UsageError, match=r"one label for each file; got 'a' and 'b' for 000.png"):
        load_classification(tmp_path)


def test_a_table_next_to_folders_of_classes_changes_nothing(tmp_path):
    folders.classes(tmp_path, (6, 6))
    rows = [(f"{name}/{i}.png", f"the {name}") for name in ("cats", "dogs") for i in range(6)]
    (tmp_path / "all.csv").write_text(
        "\n".join(",".join(row) for row in [("file", "label"), *rows])
    )
    assert load_classification(tmp_path).class_names == ("cats", "dogs")


def rows_of(root, splits, more=()):
    """A table of the images of `folders.classes`: the last two of each class are of the test."""
    rows = [(f"{name}/{i}.png", name, splits[i > 3]) for name in ("cats", "dogs") for i in range(6)]
    lines = [",".join(row) for row in (("file", "label", "split"), *rows, *more)]
    (root / "labels.csv").write_text("\n".join(lines))


def test_splits_of_a_table_next_to_folders_of_classes_are_used(tmp_path):
    folders.classes(tmp_path, (6, 6))
    rows_of(tmp_path, ("train", "test"))
    data = load_classification(tmp_path)
    assert data.report.layout == "images with labels in labels.csv"
    assert sorted(data.file_names["test"]) == [
        "cats/4.png",
        "cats/5.png",
        "dogs/4.png",
        "dogs/5.png",
    ]


def test_a_table_of_some_images_in_folders_of_classes_chooses_them(tmp_path):
    folders.classes(tmp_path, (6, 6))
    rows = [f"{name}/{i}.png,{name}" for name in ("cats", "dogs") for i in range(5)]
    (tmp_path / "labels.csv").write_text("file,label\n" + "\n".join(rows))
    data = load_classification(tmp_path)
    assert sum(data.num_examples.values()) == 10
    assert data.report.notes[0].startswith("2 images without a label are left out; the first is")


@pytest.mark.parametrize("unknown", ["tset", "", "PublicTest"])
def test_unknown_splits_among_known_ones_are_refused(tmp_path, unknown):
    folders.classes(tmp_path, (6, 6))
    rows_of(tmp_path, ("train", unknown))
    with pytest.raises(
        UsageError, match=rf"in each row of the column 'split'; got '{unknown}' in 4 of 12 rows"
    ):
        load_classification(tmp_path)


def test_a_column_that_is_no_split_is_not_one(tmp_path):
    folders.classes(tmp_path, (6, 6))
    rows_of(tmp_path, ("first", "second"))
    assert load_classification(tmp_path).report.layout != "images with labels in labels.csv"


def test_oxford_pets(tmp_path):
    data = load_classification(folders.oxford_pets(tmp_path))
    assert data.class_names == ("Abyssinian", "great_pyrenees")
    assert data.num_examples == {"train": 12, "validation": 2, "test": 4}
    assert sorted(data.file_names["test"])[-1] == "images/great_pyrenees_9.jpg"


def test_data_for_segmentation_are_sent_there(tmp_path):
    with pytest.raises(UsageError, match="which are for segmentation: `kerascnn segment train"):
        load_classification(folders.masks(tmp_path))


def test_linked_folders_are_read_once(tmp_path):
    folders.classes(tmp_path / "data", (6, 6))
    for i in range(3):
        folders.save(tmp_path / "data2" / f"more{i}.png", folders.pixels((5, i)))
    (tmp_path / "data" / "cats" / "more").symlink_to(tmp_path / "data2")
    (tmp_path / "data" / "cats" / "loop").symlink_to(tmp_path / "data")
    (tmp_path / "data" / "cats" / "again").symlink_to(tmp_path / "data2")
    data = load_classification(tmp_path / "data")
    assert data.report.classes == {"cats": 9, "dogs": 6}
