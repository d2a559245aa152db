"""Images in two resolutions: datasets, and their pipelines."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from sklearn.datasets import load_sample_image

from kerascnn.arguments import UsageError
from kerascnn.data import (
    SkippedImageWarning,
    UnreadableImageError,
    UpscalingData,
    downscale_bicubic,
    load_upscaling,
    memory,
    resolution_pairs,
)
from kerascnn.data.upscaler_images import to_upscale
from kerascnn.data.upscaling import StoredImage


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def data_of(*images):
    train = tuple(
        StoredImage(f"{i}.png", image.shape[:2], lambda image=image: image)
        for i, image in enumerate(images)
    )
    return UpscalingData("test", {"train": train, "validation": train, "test": ()})


# --- pipelines ----------------------------------------------------------------


def squares(image, side):
    """All parts of an image in all eight positions, as bytes."""
    found = set()
    for top in range(image.shape[0] - side + 1):
        for left in range(image.shape[1] - side + 1):
            part = image[top : top + side, left : left + side]
            for turns in range(4):
                turned = np.rot90(part, turns)
                found |= {turned.tobytes(), turned[::-1].tobytes()}
    return found


def test_patches_are_parts_of_both_resolutions_in_eight_positions():
    image = noise(20, 23, 3)
    low, high = downscale_bicubic(image, 3)
    pipeline = data_of(image).pipeline(
        "train", factor=3, channels=3, patch_size=5, patches=256, batch_size=64
    )
    pairs = [
        (np.rint(255 * small).astype(np.uint8), np.rint(255 * large).astype(np.uint8))
        for batch in pipeline
        for small, large in zip(*(part.numpy() for part in batch), strict=True)
    ]
    assert len(pairs) == 256
    known = squares(low, 5)
    assert all(small.tobytes() in known for small, _ in pairs)
    # 2 x 3 places in eight positions
    assert len({small.tobytes() for small, _ in pairs}) == len(known) == 48
    known = squares(high, 15)
    for small, large in pairs:
        assert large.tobytes() in known
        # A random large part, reduced by itself, has its small part but for the border.
        alone = np.asarray(Image.fromarray(large).resize((5, 5), Image.Resampling.BICUBIC))
        assert np.abs(alone[2:-2, 2:-2].astype(int) - small[2:-2, 2:-2]).max() <= 8


def lows(pipeline, epochs=1):
    return [np.concatenate([low.numpy() for low, _ in pipeline]) for _ in range(epochs)]


@pytest.mark.parametrize("cached", [True, False])
def test_patches_differ_every_epoch_and_repeat_under_a_seed(cached, monkeypatch):
    if not cached:
        monkeypatch.setattr(memory, "CACHE_BYTES", 0)
    data = data_of(noise(20, 20, 3), noise(30, 20, 3, seed=1))

    def found(seed):
        tf.random.set_seed(0)
        sizes = {"factor": 2, "channels": 1, "patch_size": 4}
        return lows(data.pipeline("train", **sizes, patches=40, batch_size=8, seed=seed), epochs=2)

    first, second, other = found(1), found(1), found(2)
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first, other)


def test_every_image_gives_equally_many_patches():
    data = data_of(*(np.full((8 + i, 9, 3), 50 * i, np.uint8) for i in range(3)))
    pipeline = data.pipeline("train", factor=2, channels=1, patch_size=3, patches=20, batch_size=4)
    assert len(pipeline) == 6  # 8 for each, in whole batches
    (values,) = lows(pipeline)
    levels, counts = np.unique(np.rint(255 * values[:, 0, 0, 0]), return_counts=True)
    assert levels.tolist() == [0, 50, 100]
    assert counts.tolist() == [8, 8, 8]


def test_whole_images_keep_their_order_and_their_middle(monkeypatch):
    monkeypatch.setattr(resolution_pairs, "_LARGEST", 16)
    images = [noise(31, 20, 3), noise(9, 9, 3, seed=1)]
    pairs = list(data_of(*images).pipeline("validation", factor=2, channels=1))
    assert [(low.shape, high.shape) for low, high in pairs] == [
        ((1, 8, 8, 1), (1, 16, 16, 1)),
        ((1, 4, 4, 1), (1, 8, 8, 1)),
    ]
    low, high = downscale_bicubic(images[0], 2)
    np.testing.assert_array_equal(pairs[0][0], to_upscale(low[np.newaxis, 3:11, 1:9], 1))
    np.testing.assert_array_equal(pairs[0][1], to_upscale(high[np.newaxis, 6:22, 2:18], 1))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"factor": 0}, "got factor=0"),
        ({"channels": 2}, "`channels` must be one of 1, 3; got channels=2"),
        ({"patch_size": 11}, "0.png must be at least as large as a patch, 22x22; got 20x21"),
        ({"patches": 0}, "got patches=0"),
        ({"batch_size": 0}, "got batch_size=0"),
        ({"split": "tset"}, "`split` must be one of 'train', .*; got split='tset'"),
        ({"split": "test"}, "test must have images in its test split; got none"),
    ],
)
def test_wrong_arguments(change, sentence):
    arguments = {"split": "train", "factor": 2, "channels": 1, "patch_size": 4, "patches": 8}
    with pytest.raises(UsageError, match=sentence):
        data_of(noise(20, 21, 3)).pipeline(**{**arguments, **change})


def test_examples_are_whole_images():
    images = [noise(31, 20, 3), noise(9, 9, 3, seed=1)]
    for i, (name, image, label) in enumerate(data_of(*images).examples("validation")):
        assert name == f"{i}.png"
        np.testing.assert_array_equal(image, images[i])
        assert label is None
    assert i == 1


# --- datasets -----------------------------------------------------------------


def test_embedded_photographs():
    photos = load_upscaling("photos")
    train, validation, test = (photos.images[split][0] for split in photos.images)
    assert [train.name, validation.name, test.name] == ["china.jpg", "china.jpg", "flower.jpg"]
    china = np.concatenate([train.read(), validation.read()], axis=1)
    np.testing.assert_array_equal(china, load_sample_image("china.jpg"))
    np.testing.assert_array_equal(test.read(), load_sample_image("flower.jpg"))
    assert train.size == train.read().shape[:2] == (427, 480)


def save(path, size=(20, 16)):
    """An image that its name decides."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(list(path.as_posix().encode()))
    Image.fromarray(rng.integers(0, 256, (*size[::-1], 3), np.uint8)).save(path)


def names(data):
    return {split: [image.name for image in found] for split, found in data.images.items()}


def test_a_folder_is_cut_by_name(tmp_path):
    for i in range(20):
        save(tmp_path / "here" / f"{i}.png")
        save(tmp_path / "there" / f"{i}.png", size=(30, 30))
    here, there = (
        names(load_upscaling(tmp_path / "here")),
        names(load_upscaling(tmp_path / "there")),
    )
    assert here == there
    assert {split: len(found) for split, found in here.items()} == {
        "train": 16,
        "validation": 2,
        "test": 2,
    }
    every = [name for found in here.values() for name in found]
    assert sorted(every) == sorted(f"{i}.png" for i in range(20))


def test_a_folder_with_splits_of_its_own(tmp_path):
    for name in ("train/a.png", "train/deep/b.png", "val/c.png", "test/d.png"):
        save(tmp_path / name)
    assert names(load_upscaling(tmp_path)) == {
        "train": ["train/a.png", "train/deep/b.png"],
        "validation": ["val/c.png"],
        "test": ["test/d.png"],
    }


def test_images_of_every_kind_have_three_channels(tmp_path):
    Image.new("L", (20, 16), 7).save(tmp_path / "gray.png")
    Image.new("RGBA", (20, 16), (1, 2, 3, 0)).save(tmp_path / "transparent.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (20, 16)).save(tmp_path / "turned.jpg", exif=exif)
    images = load_upscaling(tmp_path).images
    found = {image.name: image for split in images.values() for image in split}
    assert found["turned.jpg"].size == (20, 16)
    assert all(image.read().shape == (*image.size, 3) for image in found.values())
    np.testing.assert_array_equal(found["gray.png"].read(), 7)
    np.testing.assert_array_equal(found["transparent.png"].read(), 255)


def test_broken_and_small_images_are_skipped_or_refused(tmp_path):
    save(tmp_path / "good.png")
    save(tmp_path / "low.png", size=(20, 15))
    with pytest.warns(SkippedImageWarning, match="low.png must be at least 16 .* got 15x20"):
        photos = load_upscaling(tmp_path, smallest=16)
    assert names(photos) == {"train": ["good.png"], "validation": [], "test": []}
    with pytest.raises(UsageError, match="low.png must be at least 16"):
        load_upscaling(tmp_path, strict=True, smallest=16)
    (tmp_path / "broken.png").write_bytes(b"nothing")
    with pytest.warns(SkippedImageWarning, match="broken.png cannot be read"):
        load_upscaling(tmp_path)
    with pytest.raises(UnreadableImageError, match="broken.png cannot be read"):
        load_upscaling(tmp_path, strict=True)


def test_no_images(tmp_path):
    with pytest.raises(UsageError, match="must have images of at least 16x16 pixels"):
        load_upscaling(tmp_path, smallest=16)
    with pytest.raises(FileNotFoundError, match="There is no folder nowhere; "):
        load_upscaling("nowhere")


def test_real_images(real_data):
    photos = load_upscaling(real_data / "camvid" / "val" / "images", smallest=300)
    assert photos.num_examples == {
        "train": 82,
        "validation": 10,
        "test": 9,
    }
    sizes = {"factor": 2, "channels": 3, "patch_size": 24}
    low, high = next(iter(photos.pipeline("train", **sizes, patches=82, batch_size=8)))
    assert low.shape == (8, 24, 24, 3)
    assert high.shape == (8, 48, 48, 3)


def test_a_test_folder_without_a_train_folder_is_refused(tmp_path):
    """Otherwise what was kept apart for the test would be trained on."""
    for place in ("a.png", "b.png", "test/c.png"):
        save(tmp_path / place)
    with pytest.raises(UsageError, match="must have a train folder next to test; there is none"):
        load_upscaling(tmp_path)
