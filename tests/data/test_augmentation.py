import numpy as np
import pytest
import tensorflow as tf

from kerascnn import data
from kerascnn.data import Augmentation


def augmented(images, labels=None, seed=0, **options):
    labels = np.zeros(len(images), "int64") if labels is None else labels
    function = Augmentation(**options).function(num_classes=10)
    parts = (np.float32(images), labels, np.array([seed, 7], "int32"))
    pipeline = tf.data.Dataset.from_tensors(parts).map(function)
    return [np.asarray(part) for part in next(iter(pipeline))]


def points():
    """One white pixel in the middle of each image."""
    images = np.zeros((64, 20, 20, 1))
    images[:, 10, 10] = 1
    return images


def test_shift_goes_no_farther_than_it_says():
    shifted, _ = augmented(points(), shift=0.1)
    rows, columns = shifted.sum(axis=(2, 3)), shifted.sum(axis=(1, 3))
    assert np.all(rows[:, :7] == 0)
    assert np.all(rows[:, 14:] == 0)
    assert np.all(columns[:, :7] == 0)
    assert len({tuple(row.round(3)) for row in rows}) > 10  # each image by its own amount


def test_crop_moves_by_whole_pixels_each_image_by_its_own():
    cropped, _ = augmented(points(), crop=0.2)
    places = [tuple(np.argwhere(image[..., 0])[0]) for image in cropped]
    assert set(np.unique(cropped)) == {0.0, 1.0}
    assert np.all(cropped.sum(axis=(1, 2, 3)) == 1)
    assert {abs(row - 10) <= 4 and abs(column - 10) <= 4 for row, column in places} == {True}
    assert len(set(places)) > 20


def test_flip_mirrors_about_half():
    images = np.random.default_rng(0).uniform(size=(200, 4, 5, 3)).astype("float32")
    flipped, _ = augmented(images, flip=True)
    mirrored = [np.array_equal(a, b[:, ::-1]) for a, b in zip(flipped, images, strict=True)]
    kept = [np.array_equal(a, b) for a, b in zip(flipped, images, strict=True)]
    assert np.all(np.logical_xor(mirrored, kept))
    assert 70 < sum(mirrored) < 130


def test_rotate_keeps_the_middle_and_stays_within_its_angle():
    images = np.zeros((50, 41, 41, 1))
    images[:, 20, 20:] = 1  # a ray to the right
    rotated, _ = augmented(images, rotate=30.0)
    tips = [np.argwhere(image[:, 38, 0] > 0.2).mean() - 20 for image in rotated]
    angles = np.degrees(np.arctan2(tips, 18))
    assert np.abs(angles).max() < 32
    assert angles.std() > 10
    np.testing.assert_allclose(rotated[:, 20, 20, 0], 1, atol=0.3)


def test_zoom_enlarges_and_reduces():
    images = np.zeros((50, 40, 40, 1))
    images[:, 10:30, 10:30] = 1
    sides = np.sqrt(augmented(images, zoom=0.2)[0].sum(axis=(1, 2, 3)))
    assert sides.min() > 20 / 1.3
    assert sides.max() < 20 * 1.3
    assert sides.std() > 1


def test_cutout_blackens_a_square_of_its_size():
    cut, _ = augmented(np.ones((20, 16, 16, 3)), cutout=0.5)
    np.testing.assert_array_equal((cut == 0).sum(axis=(1, 2, 3)), 8 * 8 * 3)
    assert len({np.argwhere(image[..., 0] == 0)[0].tobytes() for image in cut}) > 5


def test_mixup_mixes_images_and_labels_by_the_same_weight():
    images = np.zeros((10, 2, 2, 1)) + np.arange(10).reshape(-1, 1, 1, 1)
    mixed, labels = augmented(images, np.arange(10), mixup=1.0)
    np.testing.assert_allclose(labels.sum(axis=-1), 1, rtol=1e-6)
    np.testing.assert_allclose(mixed[:, 0, 0, 0], labels @ np.arange(10), rtol=1e-5)
    assert (labels.max(axis=-1) < 0.99).sum() > 3


def test_rand_augment_changes_images_within_their_range():
    images = np.random.default_rng(0).uniform(size=(8, 12, 12, 3)).astype("float32")
    changed, _ = augmented(images, rand_augment=2)
    assert np.abs(changed - images).max() > 0.05
    assert changed.min() >= 0
    assert changed.max() <= 1


def test_nothing_changes_nothing():
    images = np.random.default_rng(0).uniform(size=(4, 6, 6, 1)).astype("float32")
    same, labels = augmented(images, np.arange(4))
    np.testing.assert_array_equal(same, images)
    np.testing.assert_array_equal(labels, np.arange(4))
    assert Augmentation().names() == []


@pytest.mark.parametrize("option", [{"flip": True, "crop": 0.2, "rotate": 5.0}, {"mixup": 0.3}])
def test_one_seed_gives_one_result(option):
    images = np.random.default_rng(0).uniform(size=(8, 12, 12, 3))
    first, again, other = (augmented(images, seed=seed, **option)[0] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.05


def test_only_the_training_split_is_augmented():
    digits, mixup = data.load_classification("digits"), Augmentation(mixup=0.2)
    images, labels = next(iter(digits.pipeline("train", augment=mixup, batch_size=50)))
    assert images.shape == (50, 8, 8, 1)
    assert labels.shape == (50, len(digits.class_names))
    mixed, plain = (next(iter(digits.pipeline("test", augment=a))) for a in (mixup, None))
    for part, other in zip(mixed, plain, strict=True):
        np.testing.assert_array_equal(part, other)


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ({"shift": -0.1}, r"`shift` must be a number in \[0, 1\]; got shift=-0.1"),
        ({"rotate": 200}, r"`rotate` must be a number in \[0, 180\]; got rotate=200"),
        ({"mixup": float("nan")}, "got mixup=nan"),
    ],
)
def test_wrong_numbers(option, sentence):
    with pytest.raises(ValueError, match=sentence):
        Augmentation(**option)


def test_color_changes_brightness_and_contrast_of_each_image_by_its_own():
    images = np.tile(np.random.default_rng(0).uniform(0.3, 0.7, (8, 8, 3)), (60, 1, 1, 1))
    changed, _ = augmented(images, color=0.4)
    assert changed.min() >= 0
    assert changed.max() <= 1
    flat = changed.reshape(60, -1)
    for row in flat:  # brighter, darker, flatter: but the same picture
        assert np.corrcoef(row, images[0].ravel())[0, 1] > 0.98
    # Brightness goes 0.2 to either side, and contrast from 0.6 to 1.4 times.
    shifts = flat.mean(axis=1) - images[0].mean()
    spreads = flat.std(axis=1) / images[0].std()
    assert 0.1 < np.abs(shifts).max() < 0.21
    assert 0.55 < spreads.min() < 0.8
    assert 1.2 < spreads.max() < 1.45
