import dataclasses
import os

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from sklearn.datasets import load_digits

from kerascnn.arguments import UsageError
from kerascnn.data import (
    SPLITS,
    UnreadableImageError,
    load_classification,
    memory,
    read_image,
)


def pipelines(data, **options):
    return {split: data.pipeline(split, **options) for split in SPLITS}


def labels_of(dataset):
    return np.concatenate([labels.numpy() for _, labels in dataset])


def images_of(dataset):
    return np.concatenate([images.numpy() for images, _ in dataset])


def examples_of(dataset):
    """Images and their labels, in one pass: the next one has another order."""
    images, labels = zip(*dataset, strict=True)
    return np.concatenate(images), np.concatenate(labels)


def test_digits_are_all_of_scikit_learns_each_in_one_split():
    data = load_classification("digits")
    splits = pipelines(data)
    assert data.num_examples == {"train": 1257, "validation": 180, "test": 360}
    found = {
        tuple(np.rint(255 * image).astype(int).ravel()): label
        for split in splits.values()
        for image, label in zip(*examples_of(split), strict=True)
    }
    digits = load_digits()
    expected = {
        tuple(np.rint(image * 255 / 16).astype(int).ravel()): label
        for image, label in zip(digits.images, digits.target, strict=True)
    }
    assert found == expected
    assert all(count >= 8 for count in np.bincount(labels_of(splits["validation"])))


def test_pipeline_resizes_colors_and_batches():
    data = load_classification("digits", image_size=(20, 24), channels=3)
    assert data.image_shape == (20, 24, 3)
    assert data.stored_shape == (8, 8, 1)
    dataset = data.pipeline("test", batch_size=100)
    batches = list(dataset)
    assert len(dataset) == len(batches) == 4
    assert [len(labels) for _, labels in batches] == [100, 100, 100, 60]
    images, labels = batches[0]
    assert images.shape == (100, 20, 24, 3)
    assert images.dtype == tf.float32
    assert labels.dtype == tf.int64
    assert images.numpy().min() >= 0
    assert 0.9 < images.numpy().max() <= 1


def orders(seed, epochs=3):
    keras.utils.set_random_seed(0)  # Keras's own generators must play no part
    dataset = load_classification("digits").pipeline("train", seed=seed)
    return [labels_of(dataset) for _ in range(epochs)]


@pytest.mark.parametrize("cached", [True, False])
def test_order_differs_every_epoch_and_repeats_under_a_seed(cached, monkeypatch):
    if not cached:
        monkeypatch.setattr(memory, "CACHE_BYTES", 0)
    first, second, other = orders(1), orders(1), orders(2)
    for epoch in range(3):
        np.testing.assert_array_equal(first[epoch], second[epoch])
        assert not np.array_equal(first[epoch], first[epoch - 1])
        assert not np.array_equal(first[epoch], other[epoch])
        np.testing.assert_array_equal(np.sort(first[epoch]), np.sort(first[0]))


def test_order_differs_every_epoch_of_fit():
    # After set_random_seed, Keras 3.15's own shuffling of arrays repeats one order.
    keras.utils.set_random_seed(0)
    seen = []

    class Watch(keras.layers.Layer):
        def call(self, x):
            tf.py_function(lambda x: seen.append(float(tf.reduce_sum(x))), [x], [])
            return x

    dataset = load_classification("digits").pipeline("train")
    model = keras.Sequential([Watch(), keras.layers.Flatten(), keras.layers.Dense(10)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(dataset, epochs=2, verbose=0)
    assert len(seen) == 2 * len(dataset)
    assert seen[: len(dataset)] != seen[len(dataset) :]


def test_test_split_keeps_its_order():
    dataset = load_classification("digits").pipeline("test")
    np.testing.assert_array_equal(labels_of(dataset), labels_of(dataset))


def test_augment_sees_training_batches_only():
    def black(images):
        return 0 * images

    splits = pipelines(load_classification("digits"), augment=black)
    assert images_of(splits["train"]).max() == 0
    assert images_of(splits["validation"]).max() > 0


def test_examples_are_the_stored_images_in_the_order_of_the_pipeline(pictures):
    for data in (load_classification("digits"), load_classification(pictures, channels=1)):
        images, labels = examples_of(data.pipeline("test"))
        names, found, truth = zip(*data.resized(5).examples("test"), strict=True)
        np.testing.assert_array_equal(truth, labels)
        assert all(type(label) is int for label in truth)
        assert found[0].dtype == np.uint8
        np.testing.assert_allclose(np.stack(found) / np.float32(255), images, rtol=1e-6)
        if data.name == "digits":
            assert names[12] == "test-00012"
        else:
            for name, image in zip(names, found, strict=True):
                np.testing.assert_array_equal(read_image(pictures / name, channels=1), image)


# --- folders ------------------------------------------------------------------


def picture(path, color, size=(12, 10)):
    """An image of a color, in which the name of the file decides a little noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(list(os.fsencode("/".join(path.parts[-2:]))))
    noise = rng.integers(-9, 10, (size[1], size[0], 1))
    pixels = np.asarray(Image.new("RGB", size, color)) + noise
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path)


@pytest.fixture
def pictures(tmp_path):
    for i in range(20):
        picture(tmp_path / "red" / f"{i}.png", (200 + i, 0, 0))
        picture(tmp_path / "blue" / f"{i}.jpg", (0, 0, 200 + i))
    return tmp_path


def test_folder(pictures):
    data = load_classification(pictures)
    assert data.class_names == ("blue", "red")
    assert data.image_shape == (10, 12, 3)
    assert data.num_examples == {"train": 32, "validation": 4, "test": 4}
    for split in pipelines(data).values():
        images, labels = examples_of(split)
        # Channel 0 is red, channel 2 is blue.
        np.testing.assert_array_equal(images[:, 5, 5, 0] > images[:, 5, 5, 2], labels == 1)
        assert set(labels) == {0, 1}


def test_folder_split_is_the_same_elsewhere_and_stable(pictures, tmp_path_factory):
    copy = tmp_path_factory.mktemp("copy")
    for i in reversed(range(20)):
        picture(copy / "red" / f"{i}.png", (200 + i, 0, 0))
        picture(copy / "blue" / f"{i}.jpg", (0, 0, 200 + i))
    for split in ("validation", "test"):
        here, there = (
            images_of(load_classification(folder).pipeline(split)) for folder in (pictures, copy)
        )
        np.testing.assert_array_equal(here, there)


def test_folder_with_splits_of_its_own(tmp_path):
    for split, count in (("train", 6), ("val", 2)):
        for name, color in (("red", (255, 0, 0)), ("blue", (0, 0, 255))):
            for i in range(count):
                picture(tmp_path / split / name / f"{split}{i}.png", color)
    assert load_classification(tmp_path).num_examples == {"train": 10, "validation": 4, "test": 2}


def test_a_split_with_a_class_that_is_not_trained_on(tmp_path):
    for name in ("train/red", "train/blue", "test/red", "test/Blue"):
        picture(tmp_path / name / "1.png", (0, 0, 0))
    with pytest.raises(
        UsageError, match="test must have no other classes .*'blue', 'red'.; got 'Blue'"
    ):
        load_classification(tmp_path)


@pytest.mark.parametrize("names", [("Training", "Test"), ("train", "VALID")])
def test_names_of_split_folders_in_any_case(tmp_path, names):
    for name in names:
        for color in ("red", "blue"):
            for i in range(4):
                picture(tmp_path / name / color / f"{name}{i}.png", color)
    data = load_classification(tmp_path)
    assert data.class_names == ("blue", "red")
    assert data.num_examples["test" if "Test" in names else "validation"] == 8


def test_names_that_are_not_ascii(tmp_path):
    for name in ("früh", "spät"):
        for i in range(3):
            picture(tmp_path / name / f"{i} \udcff.png", (90, 90, 90))  # a byte that is no UTF-8
    data = load_classification(tmp_path)
    assert data.class_names == ("früh", "spät")
    assert len(labels_of(data.pipeline("train"))) == 2
    names = [name for split in SPLITS for name, _, _ in data.examples(split)]
    assert sorted(names)[0] == "früh/0 \\xff.png"


def test_corrupt_image_is_named_and_skipped(pictures):
    (pictures / "red" / "7.png").write_bytes(b"not an image")
    with pytest.warns(UserWarning, match=r"Skipped: .*7\.png cannot be read"):
        data = load_classification(pictures)
    assert sum(data.num_examples.values()) == 39
    with pytest.raises(UnreadableImageError, match=r"7\.png cannot be read"):
        load_classification(pictures, strict=True)


def test_images_of_different_sizes_need_a_size(pictures):
    picture(pictures / "red" / "large.png", (255, 0, 0), size=(30, 30))
    data = load_classification(pictures)
    assert data.image_shape == data.stored_shape == (None, None, 3)
    with pytest.raises(UsageError, match="differ in size: `image_size` must be given"):
        data.pipeline("train")
    resized = load_classification(pictures, image_size=16)
    for found in (resized, data.resized(16)):
        assert found.image_shape == (16, 16, 3)
        assert images_of(found.pipeline("train")).shape[1:] == (16, 16, 3)
    assert data.resized(16, channels=1).resized((8, 9)).image_shape == (8, 9, 1)


def test_folders_that_cannot_be_used(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no folder .*absent"):
        load_classification(tmp_path / "absent")
    with pytest.raises(UsageError, match="at least two classes; got none"):
        load_classification(tmp_path)
    picture(tmp_path / "red" / "1.png", (255, 0, 0))
    with pytest.raises(UsageError, match="at least two classes; got 'red'"):
        load_classification(tmp_path)
    (tmp_path / "blue").mkdir()
    with pytest.raises(UsageError, match=r"must have training images .*; got none of .blue."):
        load_classification(tmp_path)
    picture(tmp_path / "blue" / "1.png", (0, 0, 255))
    with pytest.raises(UsageError, match="at least two images of some class"):
        load_classification(tmp_path)


def test_unknown_name():
    with pytest.raises(
        UsageError, match=r"'mnistt' is not an embedded dataset.*Did you mean 'mnist'\?"
    ):
        load_classification("mnistt")


def test_set_without_images():
    with pytest.raises(UsageError, match=r"must have an image and a class label.*label, text"):
        load_classification("imdb_reviews")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"channels": 2}, "`channels` must be one of 1, 3; got channels=2"),
        ({"image_size": 0}, "got image_size=0"),
    ],
)
def test_wrong_arguments(arguments, sentence):
    with pytest.raises(UsageError, match=sentence):
        load_classification("digits", **arguments)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            {"split": "tset"},
            "`split` must be one of 'train', 'validation', 'test'; got split='tset'",
        ),
        ({"split": "train", "batch_size": 0}, "got batch_size=0"),
    ],
)
def test_wrong_arguments_of_a_pipeline(arguments, sentence):
    with pytest.raises(UsageError, match=sentence):
        load_classification("digits").pipeline(**arguments)


def test_images_of_a_wrong_number_of_channels():
    data = load_classification("digits")
    with pytest.raises(UsageError, match=r"1, 3 or 4 channels; got shape \(8, 8, 2\)"):
        dataclasses.replace(data, stored_shape=(8, 8, 2))
    assert dataclasses.replace(data, stored_shape=(8, 8, 4)).image_shape == (8, 8, 3)
