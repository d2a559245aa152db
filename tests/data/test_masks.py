import warnings

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_datasets as tfds
from PIL import Image

from kerascnn.data import (
    IGNORED,
    Augmentation,
    HeldOutWarning,
    SkippedImageWarning,
    UnreadableImageError,
    find,
    find_masks,
    mask_source,
    read_mask,
)
from kerascnn.data import tensorflow_datasets as ours
from kerascnn.data.joint_augmentation import random_view

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


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "streets"
    for split, count in (("train", 4), ("val", 2), ("test", 2)):
        for i in range(count):
            save_pair(root / split, f"{split}{i}")
    (root / "classes.txt").write_text("\n".join(CLASSES) + "\n")
    return root


def test_a_folder_with_splits(folder):
    source = find_masks(folder)
    assert source.class_names == CLASSES
    assert source.ignored == ("void",)
    assert source.counted == CLASSES[:3]
    assert source.num_examples == {"train": 4, "validation": 2, "test": 2}
    assert source.image_shape == (20, 30, 3)
    (name, image, mask), _ = source.examples("test")
    assert name == "test/images/test0.jpg"
    assert image.shape == (20, 30, 3)
    stored = np.asarray(Image.open(folder / "test" / "masks" / "test0.png"))
    np.testing.assert_array_equal(mask, np.where(stored == 3, IGNORED, stored))


def test_ignored_classes_leave_no_gap(folder):
    source = find_masks(folder, ignore=["sky", "void"])
    assert source.values == (1, 2)
    _, _, mask = next(source.examples("train"))
    stored = np.asarray(Image.open(folder / "train" / "masks" / "train0.png"))
    expected = np.select([stored == 1, stored == 2], [0, 1], IGNORED)
    np.testing.assert_array_equal(mask, expected)
    with pytest.raises(ValueError, match="`ignore` must be one of 'sky', .*got ignore='skies'"):
        find_masks(folder, ignore=["skies"])
    with pytest.raises(ValueError, match="at least two classes; got car"):
        find_masks(folder, ignore=["sky", "road", "void"])


def test_pixel_counts(folder):
    save_pair(folder / "train", "extra", values=(0, 0, 3))
    pixels, of_images = find_masks(folder).pixel_counts("train")
    masks = [np.asarray(Image.open(path)) for path in (folder / "train" / "masks").iterdir()]
    for value in range(3):
        assert pixels[value] == sum((mask == value).sum() for mask in masks)
        # void pixels belong to no image
        assert of_images[value] == sum((mask != 3).sum() for mask in masks if (mask == value).any())


def test_a_folder_without_splits_holds_a_tenth_out(tmp_path):
    for i in range(20):
        save_pair(tmp_path, f"street{i}")
    (tmp_path / "classes.txt").write_text("\n".join(CLASSES))
    first, second = find_masks(tmp_path), find_masks(tmp_path)
    assert first.num_examples == {"train": 16, "validation": 2, "test": 2}
    assert first.file_names == second.file_names
    names = [set(first.file_names[split]) for split in first.num_examples]
    assert len(set.union(*names)) == 20


def test_no_validation_split_is_told(folder):
    for kind in ("images", "masks"):
        for path in (folder / "val" / kind).iterdir():
            path.unlink()
        (folder / "val" / kind).rmdir()
    (folder / "val").rmdir()
    with pytest.warns(HeldOutWarning, match="no validation split: 1 of its 4 training images"):
        assert find_masks(folder).num_examples == {"train": 3, "validation": 1, "test": 2}


def test_too_few_images_for_validation(tmp_path):
    save_pair(tmp_path, "only")
    (tmp_path / "classes.txt").write_text("\n".join(CLASSES))
    with pytest.raises(ValueError, match="at least two images to train on, so that one"):
        find_masks(tmp_path)


def test_names_that_do_not_match(folder):
    (folder / "train" / "masks" / "train2.png").unlink()
    with pytest.raises(ValueError, match=r"no mask for .*train2\.jpg\.$"):
        find_masks(folder)
    (folder / "train" / "images" / "train2.jpg").unlink()
    (folder / "val" / "images" / "val1.jpg").unlink()
    with pytest.raises(ValueError, match=r"no image for .*val1\.png\.$"):
        find_masks(folder)
    save_pair(folder / "val", "val1")
    save_pair(folder / "val", "val1")
    Image.new("RGB", (30, 20)).save(folder / "val" / "images" / "val1.png")
    with pytest.raises(ValueError, match=r"val1\.png has the name of .*val1\.jpg"):
        find_masks(folder)


def test_a_mask_of_another_size(folder):
    Image.fromarray(np.zeros((20, 31), np.uint8)).save(folder / "train" / "masks" / "train1.png")
    with pytest.raises(ValueError, match=r"size of its image, 30x20 for .*train1\.png; got 31x20"):
        find_masks(folder)


def test_values_of_no_class(folder):
    save_pair(folder / "train", "train1", values=(0, 1, 2, 3, 4, 77, 255))
    save_pair(folder / "train", "train3", values=(9,))
    with pytest.raises(ValueError, match=r"0 to 3, or 255 .*got 4, 77 in .*train1\.png, and 1 m"):
        find_masks(folder)


def test_broken_files_are_skipped_or_refused(folder):
    (folder / "train" / "images" / "train0.jpg").write_bytes(b"no image")
    (folder / "train" / "masks" / "train1.png").write_bytes(b"no mask")
    with pytest.warns(SkippedImageWarning) as caught:
        assert find_masks(folder).num_examples["train"] == 2
    assert ["train0.jpg" in str(w.message) for w in caught] == [True, False]
    assert "train1.png cannot be read as a mask" in str(caught[1].message)
    with pytest.raises(UnreadableImageError, match="train0.jpg"):
        find_masks(folder, strict=True)


def test_masks_of_one_class(folder):
    for i in range(4):
        save_pair(folder / "train", f"train{i}", values=(0, 255))
    with pytest.raises(ValueError, match="at least two classes; got sky .255 does not count"):
        find_masks(folder)


def test_a_class_that_never_occurs(folder):
    for i in range(4):
        save_pair(folder / "train", f"train{i}", values=(0, 1))
    with pytest.raises(ValueError, match=r"there is no car in 4 masks"):
        find_masks(folder)
    assert find_masks(folder, ignore=["car", "void"]).counted == ("sky", "road")


def test_what_else_a_folder_may_lack(folder, tmp_path):
    with pytest.raises(ValueError, match=r"images and masks, which are for segmentation"):
        find(folder / "train")
    with pytest.raises(FileNotFoundError, match="There is no folder /no/such"):
        find_masks("/no/such")
    with pytest.raises(FileNotFoundError, match=r"no .*classes\.txt, which must name the classes"):
        find_masks(folder / "train")
    (folder / "classes.txt").write_text("sky\nsky\n")
    with pytest.raises(ValueError, match="different name in every line; got sky, sky"):
        find_masks(folder)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "classes.txt").write_text("a\nb")
    with pytest.raises(FileNotFoundError, match="no folder .*images"):
        find_masks(tmp_path / "empty")


@pytest.mark.parametrize("mode", ["L", "P"])
def test_read_mask(tmp_path, mode):
    _, mask = save_pair(tmp_path, "one", mode=mode)
    np.testing.assert_array_equal(read_mask(tmp_path / "masks" / "one.png"), mask)


def test_masks_in_colors_are_refused(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "color.png")
    with pytest.raises(ValueError, match="number of a class in every pixel.* mode RGB"):
        read_mask(tmp_path / "color.png")
    Image.fromarray(np.full((4, 4), 300, np.uint16)).save(tmp_path / "wide.png")
    with pytest.raises(ValueError, match="numbers from 0 to 255; got 300"):
        read_mask(tmp_path / "wide.png")
    with pytest.raises(FileNotFoundError):
        read_mask(tmp_path / "none.png")


def test_camvid(real_data):
    source = find_masks(real_data / "camvid")
    assert source.num_examples == {"train": 367, "validation": 101, "test": 233}
    assert source.ignored == ("void",)
    assert len(source.counted) == 11
    images, masks = next(iter(source.pipeline("train", 0.5, (96, 128), batch_size=3)))
    assert images.shape == (3, 96, 128, 3)
    assert masks.shape == (3, 96, 128)


def test_scenes_are_the_same_again_and_masks_fit_their_digits():
    source, again = find_masks("scenes"), find_masks("scenes")
    assert source.num_examples == {"train": 1000, "validation": 100, "test": 200}
    for (_, image, mask), (_, other, other_mask) in zip(
        source.examples("validation"), again.examples("validation"), strict=True
    ):
        np.testing.assert_array_equal(image, other)
        np.testing.assert_array_equal(mask, other_mask)
        assert image[mask > 0].mean() > image[mask == 0].mean() + 40
    pixels, _ = source.pixel_counts("train")
    assert pixels[1:].min() > 0.01 * pixels.sum()


def test_a_set_of_tensorflow_datasets(tmp_path, monkeypatch):
    monkeypatch.setitem(ours._MASK_CLASSES, "kerascnn_stripes", (("none", "a", "b"), ("none",)))
    source = find_masks("kerascnn_stripes", data_dir=tmp_path)
    assert source.num_examples == {"train": 16, "validation": 2, "test": 2}
    assert source.counted == ("a", "b")
    _, image, mask = next(source.examples("train"))
    assert image.shape == (*mask.shape, 3)
    np.testing.assert_array_equal(mask, np.where(image[..., 0] == 200, 1, 0))
    with pytest.raises(ValueError, match="oxford_iiit_pet, kerascnn_stripes; got 'mnist'"):
        find_masks("mnist")


class KerascnnStripes(tfds.core.GeneratorBasedBuilder):
    """A small set with masks, counted from 1."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = {
            "image": tfds.features.Image(shape=(None, None, 3)),
            "segmentation_mask": tfds.features.Image(shape=(None, None, 1), use_colormap=True),
        }
        return self.dataset_info_from_configs(features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        for i in range(20):
            mask = np.ones((8 + i % 3, 10, 1), np.uint8)
            mask[:, ::2] = 2
            image = np.repeat(mask * 100, 3, axis=-1)
            yield i, {"image": image, "segmentation_mask": mask}


def test_pictures_of_any_size_are_trained_in_windows(tmp_path):
    for i in range(10):
        save_pair(tmp_path, f"street{i}", size=(20 + 2 * i, 30))
    (tmp_path / "classes.txt").write_text("\n".join(CLASSES))
    source = find_masks(tmp_path)
    assert source.image_shape == (None, None, 3)
    with pytest.raises(ValueError, match="differ in size: `crop_size` must be given"):
        source.pipeline("train")
    for images, masks in source.pipeline("train", crop_size=(16, 40), batch_size=4):
        assert images.shape[1:] == (16, 40, 3)
        # The picture is narrower than the window: what is beside it is black, and counts nowhere.
        assert (np.asarray(masks)[:, :, :5] == IGNORED).all()
        assert np.asarray(images)[:, :, :5].max() == 0
    save_pair(tmp_path, "wide", size=(40, 50))
    # Whole images of any size come one by one.
    source = find_masks(tmp_path)
    batches = list(source.pipeline("validation", batch_size=2))
    for (images, masks), (_, image, mask) in zip(
        batches, source.examples("validation"), strict=True
    ):
        np.testing.assert_array_equal(masks[0], mask)
        np.testing.assert_allclose(images[0], image / np.float32(255), rtol=1e-6)


def test_whole_images_come_in_batches_of_no_more_pixels_than_windows(folder):
    source = find_masks(folder)
    batches = {
        crop: next(iter(source.pipeline("validation", crop_size=crop, batch_size=4)))[0].shape[0]
        for crop in (None, (20, 15), (5, 5))
    }
    assert batches == {None: 2, (20, 15): 2, (5, 5): 1}


def test_what_does_not_fit_into_memory_is_the_same(folder, monkeypatch):
    source = find_masks(folder)

    def images():
        batches = list(source.pipeline("train", batch_size=3))
        return {image.numpy().tobytes() for batch, _ in batches for image in batch}

    expected = images()
    monkeypatch.setattr(mask_source, "_CACHE_BYTES", 0)
    assert images() == expected
    assert len(expected) == 4


def test_orders_and_views_repeat_under_a_seed(folder):
    source = find_masks(folder)
    augment = Augmentation(flip=True, shift=0.2, zoom=0.3, rotate=20.0, color=0.4)

    def epochs(seed):
        pipeline = source.pipeline(
            "train", crop_size=(10, 12), batch_size=4, seed=seed, augment=augment
        )
        return [next(iter(pipeline))[0].numpy() for _ in range(2)]

    first, again, other = epochs(1), epochs(1), epochs(2)
    np.testing.assert_array_equal(first, again)
    assert (first[0] != first[1]).any()
    assert (first[0] != other[0]).any()


def test_wrong_arguments_of_a_pipeline(folder):
    source = find_masks(folder)
    with pytest.raises(ValueError, match="`factor` must be a number above 0, 8 at most; got fac"):
        source.pipeline("train", factor=0)
    with pytest.raises(ValueError, match="`crop_size` must be an int or a pair"):
        source.pipeline("train", crop_size=(0, 3))
    with pytest.raises(ValueError, match="augmented by flip, .*; got cutout, mixup"):
        source.pipeline("train", augment=Augmentation(cutout=0.2, mixup=0.3))


def test_a_view_moves_the_mask_with_the_image():
    """An image that shows its own mask still does so after every change."""
    rng = np.random.default_rng(0)
    mask = np.kron(rng.integers(1, 5, (6, 8)), np.ones((10, 10))).astype(np.uint8)
    image = np.repeat(mask[..., np.newaxis] / 5, 3, axis=-1).astype(np.float32)
    view = random_view(Augmentation(flip=True, shift=0.1, zoom=0.3, rotate=25.0), (50, 60))
    for seed in range(20):
        seen, labels = (part.numpy() for part in view(image, mask, tf.constant([seed, 1])))
        known = labels != IGNORED
        assert 0.5 < known.mean() <= 1
        # Between two fields, bilinear interpolation mixes what the nearest neighbour does not.
        same = np.abs(seen[..., 0] - labels / 5)[known] < 1e-3
        assert same.mean() > 0.75
        assert (seen[~known].max(initial=0)) < 1


def test_a_straight_view_is_a_window_of_whole_pixels():
    rng = np.random.default_rng(0)
    image = rng.uniform(size=(15, 17, 3)).astype(np.float32)
    mask = np.arange(255).reshape(15, 17).astype(np.uint8)
    view = random_view(Augmentation(flip=True), (8, 11))
    places, mirrored = set(), set()
    for seed in range(40):
        seen, labels = (part.numpy() for part in view(image, mask, tf.constant([seed, 2])))
        found = [
            (y, x, turn)
            for turn in (1, -1)
            for y in range(8)
            for x in range(7)
            if np.array_equal(mask[y : y + 8, x : x + 11][:, ::turn], labels)
        ]
        ((y, x, turn),) = found
        np.testing.assert_allclose(seen, image[y : y + 8, x : x + 11][:, ::turn], atol=1e-6)
        places.add((y, x))
        mirrored.add(turn)
    assert len(places) > 20
    assert mirrored == {1, -1}


def test_shifts_of_rows_and_columns_are_drawn_apart():
    mask = np.zeros((41, 41), np.uint8)
    mask[20, 20] = 1
    image = np.zeros((41, 41, 1), np.float32)
    view = random_view(Augmentation(shift=0.2), (41, 41))
    places = []
    for seed in range(60):
        _, labels = view(image, mask, tf.constant([seed, 4]))
        places.append(np.argwhere(labels.numpy() == 1)[0] - 20)
    places = np.array(places)
    assert 6 <= np.abs(places).max() <= 8
    assert abs(np.corrcoef(places.T)[0, 1]) < 0.4
    assert len({tuple(signs) for signs in np.sign(places).tolist()}) >= 4


def test_zoom_and_rotation_follow_the_formula():
    """A mask of single pixels far from the middle tells the map; slow loops apply it."""
    rng = np.random.default_rng(0)
    mask = rng.integers(0, 200, (21, 31)).astype(np.uint8)
    image = rng.uniform(size=(21, 31, 2)).astype(np.float32)
    augment = Augmentation(flip=True, zoom=0.4, rotate=30.0)
    window = (15, 25)
    view = random_view(augment, window)
    for seed in range(4):
        seen, labels = (part.numpy() for part in view(image, mask, tf.constant([seed, 5])))
        drawn = tf.random.stateless_uniform((9,), (seed, 5), -1.0, 1.0).numpy()
        zoom, angle = 1 + 0.4 * drawn[0], np.radians(30.0) * drawn[1]
        mirror = -1 if drawn[2] < 0 else 1
        middle = [
            (side - 1) / 2 + 0.5 * max(side - size / zoom, 0) * place
            for side, size, place in zip(mask.shape, window, drawn[3:5], strict=True)
        ]
        for row in range(window[0]):
            for column in range(window[1]):
                y, x = row - (window[0] - 1) / 2, mirror * (column - (window[1] - 1) / 2)
                source_y = middle[0] + (np.sin(angle) * x + np.cos(angle) * y) / zoom
                source_x = middle[1] + (np.cos(angle) * x - np.sin(angle) * y) / zoom
                if abs(source_y % 1 - 0.5) < 1e-3 or abs(source_x % 1 - 0.5) < 1e-3:
                    continue  # as near to one pixel as to the other
                assert labels[row, column] == pixel(mask, round(source_y), round(source_x), 255)
                top, left = int(np.floor(source_y)), int(np.floor(source_x))
                expected = sum(
                    pixel(image, top + i, left + j, 0)
                    * (1 - abs(source_y - top - i))
                    * (1 - abs(source_x - left - j))
                    for i in (0, 1)
                    for j in (0, 1)
                )
                np.testing.assert_allclose(seen[row, column], expected, atol=1e-4)


def pixel(array, row, column, outside):
    inside = 0 <= row < array.shape[0] and 0 <= column < array.shape[1]
    return array[row, column] if inside else outside


def test_color_leaves_masks_alone():
    image = np.random.default_rng(0).uniform(0.3, 0.7, (9, 9, 3)).astype(np.float32)
    mask = np.ones((9, 9), np.uint8)
    view = random_view(Augmentation(color=0.5), (9, 9))
    means = []
    for seed in range(30):
        seen, labels = view(image, mask, tf.constant([seed, 3]))
        np.testing.assert_array_equal(labels, mask)
        assert np.corrcoef(image.ravel(), seen.numpy().ravel())[0, 1] > 0.98
        means.append(seen.numpy().mean())
    assert 0.05 < np.std(means) < 0.25


def test_find_masks_says_nothing_of_a_good_folder(folder):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        find_masks(folder)
