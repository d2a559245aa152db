import shutil
import warnings

import numpy as np
import pytest
from PIL import Image

from kerascnn.arguments import UsageError
from kerascnn.data import (
    IGNORED,
    HeldOutWarning,
    SkippedImageWarning,
    UnreadableImageError,
    load_classification,
    load_segmentation,
    read_mask,
)
from tests.data.mask_files import CLASSES, save_pair


def test_a_folder_with_splits(folder):
    source = load_segmentation(folder)
    assert source.class_names == CLASSES
    assert source.ignored == ("void",)
    assert source.scored_classes == CLASSES[:3]
    assert source.num_examples == {"train": 4, "validation": 2, "test": 2}
    assert source.image_shape == (20, 30, 3)
    (name, image, mask), _ = source.examples("test")
    assert name == "test/images/test0.jpg"
    assert image.shape == (20, 30, 3)
    stored = np.asarray(Image.open(folder / "test" / "masks" / "test0.png"))
    np.testing.assert_array_equal(mask, np.where(stored == 3, IGNORED, stored))


def test_a_folder_without_splits_holds_a_tenth_out(tmp_path):
    for i in range(20):
        save_pair(tmp_path, f"street{i}")
    (tmp_path / "classes.txt").write_text("\n".join(CLASSES))
    first, second = load_segmentation(tmp_path), load_segmentation(tmp_path)
    assert first.num_examples == {"train": 16, "validation": 2, "test": 2}
    assert first.file_names == second.file_names
    names = [set(first.file_names[split]) for split in first.num_examples]
    assert len(set.union(*names)) == 20


def test_no_validation_split_is_told(folder):
    shutil.rmtree(folder / "val")
    with pytest.warns(HeldOutWarning, match="no validation split: it gets 1 of the 4"):
        assert load_segmentation(folder).num_examples == {"train": 3, "validation": 1, "test": 2}
    shutil.rmtree(folder / "test")
    with pytest.warns(HeldOutWarning) as caught:
        assert load_segmentation(folder).num_examples == {"train": 2, "validation": 1, "test": 1}
    assert ["no test split: it gets 1 of the 3" in str(w.message) for w in caught] == [False, True]


def test_images_beside_a_test_split_are_for_training(folder):
    """What was kept apart for the test is not trained on."""
    shutil.rmtree(folder / "val")
    for kind in ("images", "masks"):
        (folder / "train" / kind).rename(folder / kind)
    shutil.rmtree(folder / "train")
    source = load_segmentation(folder)
    assert source.num_examples == {"train": 3, "validation": 1, "test": 2}
    assert all(name.startswith("test/") for name in source.file_names["test"])


def test_a_test_split_alone_is_for_testing_only(folder):
    for split in ("train", "val"):
        shutil.rmtree(folder / split)
    source = load_segmentation(folder, for_training=False)
    assert source.num_examples == {"train": 0, "validation": 0, "test": 2}
    assert len(list(source.examples("test"))) == 2
    with pytest.raises(FileNotFoundError, match="There is no folder .*images"):
        load_segmentation(folder)


def test_too_few_images_for_validation(tmp_path):
    save_pair(tmp_path, "only")
    (tmp_path / "classes.txt").write_text("\n".join(CLASSES))
    with pytest.raises(UsageError, match="at least two training images, so that one"):
        load_segmentation(tmp_path)


def test_names_that_do_not_match(folder):
    (folder / "train" / "masks" / "train2.png").unlink()
    with pytest.raises(UsageError, match=r"no mask for .*train2\.jpg\. Add it, .*`mv "):
        load_segmentation(folder)
    (folder / "train" / "images" / "train2.jpg").unlink()
    (folder / "val" / "images" / "val1.jpg").unlink()
    with pytest.raises(UsageError, match=r"no image for .*val1\.png\. Add it, .*`mv "):
        load_segmentation(folder)
    save_pair(folder / "val", "val1")
    save_pair(folder / "val", "val1")
    Image.new("RGB", (30, 20)).save(folder / "val" / "images" / "val1.png")
    with pytest.raises(UsageError, match=r"val1\.png has the name of .*val1\.jpg"):
        load_segmentation(folder)


def test_a_mask_of_another_size(folder):
    Image.fromarray(np.zeros((20, 31), np.uint8)).save(folder / "train" / "masks" / "train1.png")
    with pytest.raises(
        UsageError, match=r"size of its image; got 31x20 for 30x20 in .*n1\.png\. Res"
    ):
        load_segmentation(folder)


def test_values_of_no_class(folder):
    save_pair(folder / "train", "train1", values=(0, 1, 2, 3, 4, 77, 255))
    save_pair(folder / "train", "train3", values=(9,))
    with pytest.raises(UsageError, match=r"0 to 3, or 255 .*got 4 and 77 in .*1\.png, 9 in .*3\.p"):
        load_segmentation(folder)


def test_broken_files_are_skipped_or_refused(folder):
    (folder / "train" / "images" / "train0.jpg").write_bytes(b"no image")
    (folder / "train" / "masks" / "train1.png").write_bytes(b"no mask")
    with pytest.warns(SkippedImageWarning) as caught:
        assert load_segmentation(folder).num_examples["train"] == 2
    assert ["train0.jpg" in str(w.message) for w in caught] == [True, False]
    assert "train1.png cannot be read as a mask" in str(caught[1].message)
    with pytest.raises(UnreadableImageError, match="train0.jpg"):
        load_segmentation(folder, strict=True)


def test_masks_of_one_class(folder):
    for i in range(4):
        save_pair(folder / "train", f"train{i}", values=(0, 255))
    with pytest.raises(UsageError, match="at least two classes; got sky .255 is ignored"):
        load_segmentation(folder)


def test_a_class_that_never_occurs(folder):
    for i in range(4):
        save_pair(folder / "train", f"train{i}", values=(0, 1))
    with pytest.raises(UsageError, match=r"got no car in 4 masks"):
        load_segmentation(folder)
    assert load_segmentation(folder, ignore=["car"]).scored_classes == ("sky", "road")
    assert load_segmentation(folder, for_training=False).scored_classes == ("sky", "road", "car")


def test_what_else_a_folder_may_lack(folder, tmp_path):
    with pytest.raises(UsageError, match=r"images and masks, which are for segmentation"):
        load_classification(folder / "train")
    with pytest.raises(FileNotFoundError, match="There is no folder /no/such"):
        load_segmentation("/no/such")
    with pytest.raises(FileNotFoundError, match=r"no .*classes\.txt, which must name the classes"):
        load_segmentation(folder / "train")
    (folder / "classes.txt").write_text("sky\nsky\n")
    with pytest.raises(UsageError, match="different name in every line; got sky, sky"):
        load_segmentation(folder)
    (folder / "classes.txt").write_bytes("Bäume\nStraße".encode("latin-1"))
    with pytest.raises(UsageError, match=r"classes\.txt must be UTF-8 text"):
        load_segmentation(folder)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "classes.txt").write_text("a\nb")
    with pytest.raises(FileNotFoundError, match="no folder .*images"):
        load_segmentation(tmp_path / "empty")


@pytest.mark.parametrize("mode", ["L", "P"])
def test_read_mask(tmp_path, mode):
    _, mask = save_pair(tmp_path, "one", mode=mode)
    np.testing.assert_array_equal(read_mask(tmp_path / "masks" / "one.png"), mask)


def test_masks_in_colors_are_refused(tmp_path):
    Image.new("RGB", (4, 4), "red").save(tmp_path / "color.png")
    with pytest.raises(
        UsageError, match="class index in every pixel.* mode RGB with colors .#ff0000 100"
    ):
        read_mask(tmp_path / "color.png")
    Image.fromarray(np.full((4, 4), 300, np.uint16)).save(tmp_path / "wide.png")
    with pytest.raises(UsageError, match=r"numbers in \[0, 255\]; got 300"):
        read_mask(tmp_path / "wide.png")
    with pytest.raises(FileNotFoundError):
        read_mask(tmp_path / "none.png")


def test_a_good_folder_gives_no_warning(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_segmentation(folder)
