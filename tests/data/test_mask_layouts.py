"""Folders of images and masks as people have them: a test for each kind, with the right values."""

import re
import shlex

import numpy as np
import pytest
from PIL import Image

from kerascnn.arguments import UsageError
from kerascnn.data import (
    IGNORED,
    FolderWarning,
    HeldOutWarning,
    load_segmentation,
)
from tests.data import folders
from tests.data.folders import SIZE, in_colors, masks, with_palette

RED, GREEN, BLACK = (255, 0, 0), (0, 128, 0), (0, 0, 0)


def mask_of(data, number=0):
    """The mask of the image with this number in its name, of any split."""
    for split in data.num_examples:
        for name, _, mask in data.examples(split):
            if int(re.findall(r"\d+", name.rpartition("/")[2])[-1]) == number:
                return mask
    raise AssertionError(number)


def halves(number=0, size=(SIZE, SIZE)):
    """The mask of `folders.masks`: 0 on the left and 1 on the right, rolled."""
    columns = np.arange(size[1]) * 2 // size[1]
    return np.roll(np.broadcast_to(columns, size), number, axis=1)


def pasted(error, option):
    """The value of the option in the line that an error offers."""
    line = re.findall(r"`([^`]*)`", str(error.value))[-1]
    words = shlex.split(line)
    assert words[0] == f"--{option.replace('_', '-')}"
    return {option: words[1]}


def check_halves(data, names=None):
    assert sum(data.num_examples.values()) == 6
    for number in range(6):
        np.testing.assert_array_equal(mask_of(data, number), halves(number))
    if names is not None:
        assert data.scored_classes == names


# --- splits and names -----------------------------------------------------------


def test_splits_inside_of_images_and_masks(tmp_path):
    for split, count in (("train", 5), ("val", 3)):
        pair = (f"images/{split}", f"masks/{split}")
        masks(tmp_path, count, folders=pair, names=None, seed=count)
    (tmp_path / "classes.txt").write_text("ground\nfield\n")
    with pytest.warns(HeldOutWarning, match="no test split: it gets 1 of the 5"):
        data = load_segmentation(tmp_path)
    assert data.num_examples == {"train": 4, "validation": 3, "test": 1}
    assert all(name.startswith("images/val/") for name in data.file_names["validation"])
    (tmp_path / "masks" / "val").rename(tmp_path / "masks" / "test")
    with pytest.raises(UsageError, match="must have folders of the same splits; got train, valid"):
        load_segmentation(tmp_path)


def test_masks_in_folders_next_to_the_splits(tmp_path):
    """As in many copies of CamVid: train, trainannot, val, valannot."""
    for split, count in (("train", 5), ("val", 3), ("test", 2)):
        masks(tmp_path, count, folders=(split, f"{split}annot"), names=None, seed=count)
    (tmp_path / "classes.txt").write_text("ground\nfield\n")
    data = load_segmentation(tmp_path)
    assert data.num_examples == {"train": 5, "validation": 3, "test": 2}
    np.testing.assert_array_equal(mask_of(data, 4), halves(4))


@pytest.mark.parametrize(
    ("image_name", "mask_name", "sentence"),
    [
        ("img{i}.jpg", "img{i}_mask.png", "the mask of NAME is NAME_mask."),
        ("img{i}.png", "img{i}_L.png", "the mask of NAME is NAME_L."),
        ("{i}_leftImg.png", "{i}_labelIds.png", "the mask of NAME_leftImg is NAME_labelIds."),
        ("rgb_{i}.png", "seg_{i}.png", "the mask of rgb_NAME is seg_NAME."),
    ],
)
def test_names_that_differ_by_a_prefix_or_suffix(tmp_path, image_name, mask_name, sentence):
    masks(tmp_path, 12, image_name=image_name, mask_name=mask_name)
    data = load_segmentation(tmp_path)
    assert sentence in data.report.notes[0]
    for number in range(12):
        np.testing.assert_array_equal(mask_of(data, number), halves(number))


def test_several_masks_for_an_image_are_refused(tmp_path):
    masks(tmp_path, mask_name="{i}_color.png")
    masks(tmp_path, mask_name="{i}_label.png")
    with pytest.raises(UsageError, match=r"NAME_color and NAME_label for the image .*`mv MASKS/"):
        load_segmentation(tmp_path)


def test_names_in_both_forms_of_unicode(tmp_path):
    masks(
        tmp_path,
        image_name="caf\u00e9{i}.png",
        mask_name=folders.decomposed("caf\u00e9") + "{i}.png",
    )
    check_halves(load_segmentation(tmp_path))


# --- values ---------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA"])
def test_equal_channels_are_numbers(tmp_path, mode):
    masks(tmp_path, convert=lambda mask: Image.fromarray(mask).convert(mode))
    check_halves(load_segmentation(tmp_path))


def test_masks_of_0_and_255(tmp_path):
    masks(tmp_path, values=(0, 255))
    with pytest.raises(UsageError, match="got ground .255 is ignored.* `--mask-values 0,255`") as e:
        load_segmentation(tmp_path)
    check_halves(load_segmentation(tmp_path, **pasted(e, "mask_values")), ("ground", "field"))
    check_halves(load_segmentation(tmp_path, mask_values={"a": 0, "b": 255}), ("a", "b"))
    (tmp_path / "classes.txt").unlink()
    with pytest.raises(
        FileNotFoundError, match="no .*classes.txt, .*have the values 0 and 255"
    ) as e:
        load_segmentation(tmp_path)
    named = pasted(e, "mask_values") if "option" in str(e.value) else None
    assert named is None
    check_halves(
        load_segmentation(tmp_path, mask_values="class0=0,class1=255"), ("class0", "class1")
    )


def test_masks_of_0_127_255(tmp_path):
    masks(tmp_path, values=(0, 127, 255), names="a\nb\nc\n")
    with pytest.raises(UsageError, match=r"got 127 in .*`--mask-values 0,127,255`") as error:
        load_segmentation(tmp_path)
    data = load_segmentation(tmp_path, **pasted(error, "mask_values"))
    assert mask_of(data)[0].tolist() == [0] * 4 + [1] * 4 + [2] * 4


def test_classes_counted_from_one(tmp_path):
    masks(tmp_path, values=(0, 1, 2), names="a\nb\n")
    with pytest.raises(UsageError, match=r"0 is not a class .*`sed -i '1i void' .*classes\.txt`"):
        load_segmentation(tmp_path)
    (tmp_path / "classes.txt").write_text("void\na\nb\n")
    assert mask_of(load_segmentation(tmp_path))[0].tolist() == [IGNORED] * 4 + [0] * 4 + [1] * 4


def test_masks_in_colors(tmp_path):
    masks(tmp_path, convert=in_colors({0: BLACK, 1: RED}))
    with pytest.raises(UsageError, match=r"mode RGB with colors \(#\w+ 50.0%, #\w+ 50") as error:
        load_segmentation(tmp_path)
    option = pasted(error, "mask_colors")
    assert sorted(option["mask_colors"].split(",")) == ["black=#000000", "red=#ff0000"]
    data = load_segmentation(tmp_path, mask_colors="black=#000000,red=#ff0000")
    check_halves(data, ("black", "red"))
    assert load_segmentation(tmp_path, **option).num_examples == data.num_examples
    (tmp_path / "classes.txt").write_text("ground #000000\nfield #ff0000\n")
    check_halves(load_segmentation(tmp_path), ("ground", "field"))
    (tmp_path / "classes.txt").write_text("ground #000000\nfield\n")
    with pytest.raises(UsageError, match="color in every line or in none; got 1 colors in 2 lines"):
        load_segmentation(tmp_path)


def test_a_color_of_no_class(tmp_path):
    masks(tmp_path, convert=in_colors({0: BLACK, 1: RED}), names="a #000000\nb #fe0000\n")
    with pytest.raises(UsageError, match="got #ff0000 in .*#fe0000,nearest") as error:
        load_segmentation(tmp_path)
    check_halves(load_segmentation(tmp_path, **pasted(error, "mask_colors")), ("a", "b"))


def test_palettes_are_numbers_or_colors(tmp_path):
    masks(tmp_path, convert=with_palette({0: BLACK, 1: RED}))
    check_halves(load_segmentation(tmp_path))
    (tmp_path / "classes.txt").write_text("field #ff0000\nground #000000\n")
    data = load_segmentation(tmp_path)
    np.testing.assert_array_equal(mask_of(data), 1 - halves())


def test_palettes_that_differ_are_refused(tmp_path):
    """Half of the masks have the two numbers exchanged, and the two colors too."""
    masks(tmp_path, convert=with_palette({0: BLACK, 1: RED}))
    for i in range(0, 6, 2):
        inverted = (1 - halves(i)).astype(np.uint8)
        folders.save(tmp_path / "masks" / f"{i}.png", with_palette({0: RED, 1: BLACK})(inverted))
    with pytest.raises(UsageError, match="palettes of the masks of .* must be the same; got") as e:
        load_segmentation(tmp_path)
    assert "black=#000000" in pasted(e, "mask_colors")["mask_colors"]
    check_halves(load_segmentation(tmp_path, mask_colors="ground=#000000,field=#ff0000"))


def test_jpeg_masks(tmp_path):
    masks(tmp_path, values=(0, 255), mask_name="{i}.jpg", size=(48, 48), quality=50)
    with pytest.raises(
        UsageError, match="is a JPEG file, which blurs .*`--mask-values 0,255`"
    ) as e:
        load_segmentation(tmp_path)
    data = load_segmentation(tmp_path, **pasted(e, "mask_values"))
    assert data.report.masks.endswith("each pixel mapped to the nearest one")
    for number in range(6):
        with Image.open(tmp_path / "masks" / f"{number}.jpg") as image:
            stored = np.asarray(image)
        assert number in (0, 4) or len(np.unique(stored)) > 4
        np.testing.assert_array_equal(mask_of(data, number), halves(number, (48, 48)))


def test_masks_that_were_resized(tmp_path):
    """Values between the two at the borders, in files that are no JPEG."""

    def soft(mask):
        ramp = np.tile(np.linspace(0, 255, 64), (4, 1)).astype(np.uint8)
        return np.concatenate([np.zeros((30, 64)), ramp, np.full((30, 64), 200)]).astype(np.uint8)

    masks(tmp_path, convert=soft, size=(64, 64))
    with pytest.raises(
        UsageError, match=r"65 values.*resizing.*`--mask-values 0,200,nearest`"
    ) as e:
        load_segmentation(tmp_path)
    mask = mask_of(load_segmentation(tmp_path, **pasted(e, "mask_values")))
    assert mask[0].max() == 0
    assert mask[-1].min() == 1
    np.testing.assert_array_equal(mask[31], np.linspace(0, 255, 64).astype(np.uint8) > 100)


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ({"mask_values": "0,x"}, "got 'x': write `--mask-values 0,255`"),
        ({"mask_values": "0"}, "different values for at least two classes"),
        ({"mask_values": "a=0,255"}, "all of them with a name or none"),
        (
            {"mask_values": "0,1,2"},
            r"one entry for each of the 2 classes .*`--mask-values 'class0=0",
        ),
        ({"mask_colors": "red,blue"}, "got 'red': write `--mask-colors 'road=#804080"),
        ({"mask_values": "0,1", "mask_colors": "#000000,#ffffff"}, "or by `mask_colors`; got both"),
    ],
)
def test_wrong_options(tmp_path, option, sentence):
    with pytest.raises(UsageError, match=sentence):
        load_segmentation(masks(tmp_path), **option)


# --- orientation ----------------------------------------------------------------


def turned_folder(root, orientation, size, mask_size, turned=6):
    """Photos that are stored turned; the masks are of the stored pixels."""
    masks(root, turned, size=size)
    for i in range(turned):
        image = Image.open(root / "images" / f"{i}.png")
        image.load()
        folders.save(root / "images" / f"{i}.png", image, exif=folders.exif(orientation))
        mask = halves(i, size).astype(np.uint8)
        if mask_size == "upright":
            mask = np.rot90(mask, -1)  # what orientation 6 means
        folders.save(root / "masks" / f"{i}.png", np.ascontiguousarray(mask))


@pytest.mark.parametrize("drawn", ["stored", "upright"])
def test_a_mask_is_turned_with_its_image_or_is_upright(tmp_path, drawn):
    turned_folder(tmp_path, 6, (8, 12), drawn)
    data = load_segmentation(tmp_path)
    assert data.image_shape == (12, 8, 3)
    notes = [note for note in data.report.notes if "rotated" in note]
    assert len(notes) == (1 if drawn == "stored" else 0)
    for number in range(6):
        expected = np.rot90(halves(number, (8, 12)), -1)
        np.testing.assert_array_equal(mask_of(data, number), expected)
    for split in data.num_examples:  # and the images are turned as well
        for name, image, _ in data.examples(split):
            with Image.open(tmp_path / name) as stored:
                np.testing.assert_array_equal(image, np.rot90(np.asarray(stored), -1))


def test_square_images_with_an_orientation_are_told(tmp_path):
    turned_folder(tmp_path, 6, (12, 12), "stored")
    with pytest.warns(FolderWarning, match="6 images .* rotated by EXIF, .* read as stored, and"):
        data = load_segmentation(tmp_path)
    for number in range(6):
        np.testing.assert_array_equal(mask_of(data, number), np.rot90(halves(number), -1))


def test_images_that_are_not_square_decide_for_those_that_are(tmp_path):
    turned_folder(tmp_path, 6, (8, 12), "upright")
    square = folders.pixels(77, 1, (12, 12), 3)
    folders.save(tmp_path / "images" / "7.png", Image.fromarray(square), exif=folders.exif(6))
    folders.save(tmp_path / "masks" / "7.png", halves().astype(np.uint8))
    with pytest.warns(FolderWarning, match="1 images .* are read as displayed upright"):
        data = load_segmentation(tmp_path)
    np.testing.assert_array_equal(mask_of(data, 7), halves())
