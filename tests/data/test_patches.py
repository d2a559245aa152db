"""Pictures in two resolutions: bicubic interpolation, sets of pictures, and their pipelines."""

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from sklearn.datasets import load_sample_image

from kerascnn.data import (
    Photo,
    Photos,
    SkippedImageWarning,
    UnreadableImageError,
    enlarged,
    find_photos,
    memory,
    patches,
    reduced,
    whole_pictures,
)
from kerascnn.data.upscaling import to_upscale, upscaled_picture


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def photos_of(*pictures):
    train = tuple(
        Photo(f"{i}.png", picture.shape[:2], lambda picture=picture: picture)
        for i, picture in enumerate(pictures)
    )
    return Photos("test", {"train": train, "validation": train, "test": ()})


# --- bicubic interpolation ----------------------------------------------------


def cubic(x):
    """Keys's kernel, a = -0.5."""
    x = abs(x)
    if x < 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0


def resized_by_loops(row, size):
    """One row, by the formula: the kernel is widened when the row becomes shorter."""
    scale = len(row) / size
    wide = max(scale, 1.0)
    answer = []
    for i in range(size):
        center = (i + 0.5) * scale - 0.5
        weights = [cubic((k - center) / wide) for k in range(len(row))]
        answer.append(np.dot(weights, row) / sum(weights))
    return np.array(answer)


@pytest.mark.parametrize("factor", [1, 2, 3, 4])
def test_enlarged_is_bicubic(factor):
    image = np.random.default_rng(0).random((5, 7)).astype(np.float32)
    found = enlarged(image[np.newaxis, ..., np.newaxis], factor)[0, ..., 0]
    rows = np.stack([resized_by_loops(row, 7 * factor) for row in image])
    expected = np.stack([resized_by_loops(column, 5 * factor) for column in rows.T]).T
    np.testing.assert_allclose(found, expected, atol=1e-6)
    pillow = Image.fromarray(image).resize((7 * factor, 5 * factor), Image.Resampling.BICUBIC)
    np.testing.assert_allclose(found, np.asarray(pillow), atol=1e-6)


def test_parts_enlarged_are_parts_of_the_whole_to_the_last_bit():
    images = np.random.default_rng(0).random((2, 30, 20, 3)).astype(np.float32)
    whole = enlarged(images, 3).numpy()
    np.testing.assert_array_equal(
        enlarged(images[:, 8:22, 3:], 3)[:, 6:-6, 6:], whole[:, 30:60, 15:]
    )


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_reduced_is_bicubic_with_antialiasing(factor):
    picture = np.stack([noise(26, 21)] * 3, axis=-1)
    low, high = reduced(picture, factor)
    height, width = 26 // factor, 21 // factor
    np.testing.assert_array_equal(high, picture[: height * factor, : width * factor])
    assert low.shape == (height, width, 3)
    rows = np.stack([resized_by_loops(row, width) for row in high[..., 0].astype(float)])
    rows = np.clip(np.rint(rows), 0, 255)  # Pillow rounds between the axes
    expected = np.stack([resized_by_loops(column, height) for column in rows.T]).T
    assert np.abs(low[..., 0] - np.clip(np.rint(expected), 0, 255)).max() <= 1


def test_reduced_refuses_less_than_a_pixel():
    with pytest.raises(ValueError, match=r"got factor=4 with shape \(3, 9, 3\)"):
        reduced(np.zeros((3, 9, 3), np.uint8), 4)
    with pytest.raises(ValueError, match="got factor=0"):
        reduced(np.zeros((3, 9, 3), np.uint8), 0)


# --- color --------------------------------------------------------------------


def test_luminance_and_back_through_ycbcr():
    picture = noise(6, 5, 3)
    # The matrix of JPEG's YCbCr, which is ITU-R 601 in full range
    matrix = np.array(
        [
            [0.299, 0.587, 0.114],
            [-0.299 / 1.772, -0.587 / 1.772, 0.5],
            [0.5, -0.587 / 1.402, -0.114 / 1.402],
        ]
    )
    ycbcr = picture / 255 @ matrix.T
    found = to_upscale(picture[np.newaxis], 1)[0]
    np.testing.assert_allclose(found, ycbcr[..., :1], atol=1e-6)
    answer = np.random.default_rng(1).random((1, 12, 10, 1)).astype(np.float32)
    color = enlarged(ycbcr[np.newaxis].astype(np.float32), 2).numpy()
    expected = np.concatenate([answer, color[..., 1:]], axis=-1) @ np.linalg.inv(matrix).T
    expected = 255 * np.clip(expected, 0, 1)
    picture = upscaled_picture(answer, picture[np.newaxis], 2).numpy()
    assert picture.dtype == np.uint8
    assert np.abs(picture - expected).max() <= 0.5 + 1e-3


def test_gray_stays_gray():
    gray = np.repeat(noise(1, 6, 5, 1), 3, axis=-1)
    answer = np.random.default_rng(1).random((1, 12, 10, 1)).astype(np.float32)
    picture = upscaled_picture(answer, gray, 2).numpy()
    np.testing.assert_array_equal(picture, np.rint(255 * answer).repeat(3, axis=-1))


# --- pipelines ----------------------------------------------------------------


def squares(picture, side):
    """All parts of a picture in all eight positions, as bytes."""
    found = set()
    for top in range(picture.shape[0] - side + 1):
        for left in range(picture.shape[1] - side + 1):
            part = picture[top : top + side, left : left + side]
            for turns in range(4):
                turned = np.rot90(part, turns)
                found |= {turned.tobytes(), turned[::-1].tobytes()}
    return found


def test_patches_are_parts_of_both_resolutions_in_eight_positions():
    picture = noise(20, 23, 3)
    low, high = reduced(picture, 3)
    pipeline = patches(photos_of(picture), 3, 3, patch_size=5, count=256, batch_size=64)
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
    photos = photos_of(noise(20, 20, 3), noise(30, 20, 3, seed=1))

    def found(seed):
        tf.random.set_seed(0)
        return lows(patches(photos, 2, 1, 4, count=40, batch_size=8, seed=seed), epochs=2)

    first, second, other = found(1), found(1), found(2)
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first, other)


def test_every_picture_gives_equally_many_patches():
    photos = photos_of(*(np.full((8 + i, 9, 3), 50 * i, np.uint8) for i in range(3)))
    pipeline = patches(photos, 2, 1, 3, count=20, batch_size=4)
    assert len(pipeline) == 6  # 8 for each, in whole batches
    (values,) = lows(pipeline)
    levels, counts = np.unique(np.rint(255 * values[:, 0, 0, 0]), return_counts=True)
    assert levels.tolist() == [0, 50, 100]
    assert counts.tolist() == [8, 8, 8]


def test_whole_pictures_keep_their_order_and_their_middle():
    pictures = [noise(31, 20, 3), noise(9, 9, 3, seed=1)]
    pairs = list(whole_pictures(photos_of(*pictures), "validation", 2, 1, largest=16))
    assert [(low.shape, high.shape) for low, high in pairs] == [
        ((1, 8, 8, 1), (1, 16, 16, 1)),
        ((1, 4, 4, 1), (1, 8, 8, 1)),
    ]
    low, high = reduced(pictures[0], 2)
    np.testing.assert_array_equal(pairs[0][0], to_upscale(low[np.newaxis, 3:11, 1:9], 1))
    np.testing.assert_array_equal(pairs[0][1], to_upscale(high[np.newaxis, 6:22, 2:18], 1))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"factor": 0}, "got factor=0"),
        ({"channels": 2}, "`channels` must be one of 1, 3; got channels=2"),
        ({"patch_size": 11}, "0.png must be at least as large as a patch, 22x22; got 20x21"),
        ({"count": 0}, "got count=0"),
        ({"batch_size": 0}, "got batch_size=0"),
    ],
)
def test_wrong_arguments(change, sentence):
    arguments = {"factor": 2, "channels": 1, "patch_size": 4, "count": 8, **change}
    with pytest.raises(ValueError, match=sentence):
        patches(photos_of(noise(20, 21, 3)), **arguments)


def test_an_empty_split():
    with pytest.raises(ValueError, match="test must have pictures in its test split; got none"):
        whole_pictures(photos_of(noise(9, 9, 3)), "test", 2, 1)


# --- sets of pictures -----------------------------------------------------------


def test_embedded_photographs():
    photos = find_photos("photos")
    train, validation, test = (photos.pictures[split][0] for split in photos.pictures)
    assert [train.name, validation.name, test.name] == ["china.jpg", "china.jpg", "flower.jpg"]
    china = np.concatenate([train.read(), validation.read()], axis=1)
    np.testing.assert_array_equal(china, load_sample_image("china.jpg"))
    np.testing.assert_array_equal(test.read(), load_sample_image("flower.jpg"))
    assert train.size == train.read().shape[:2] == (427, 480)


def save(path, size=(20, 16)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (9, 8, 7)).save(path)


def names(photos):
    return {split: [photo.name for photo in found] for split, found in photos.pictures.items()}


def test_a_folder_is_cut_by_name(tmp_path):
    for i in range(20):
        save(tmp_path / "here" / f"{i}.png")
        save(tmp_path / "there" / f"{i}.png", size=(30, 30))
    here, there = names(find_photos(tmp_path / "here")), names(find_photos(tmp_path / "there"))
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
    assert names(find_photos(tmp_path)) == {
        "train": ["train/a.png", "train/deep/b.png"],
        "validation": ["val/c.png"],
        "test": ["test/d.png"],
    }


def test_pictures_of_every_kind_have_three_channels(tmp_path):
    Image.new("L", (20, 16), 7).save(tmp_path / "gray.png")
    Image.new("RGBA", (20, 16), (1, 2, 3, 0)).save(tmp_path / "transparent.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (20, 16)).save(tmp_path / "turned.jpg", exif=exif)
    pictures = find_photos(tmp_path).pictures
    found = {photo.name: photo for photos in pictures.values() for photo in photos}
    assert found["turned.jpg"].size == (20, 16)
    assert all(photo.read().shape == (*photo.size, 3) for photo in found.values())
    np.testing.assert_array_equal(found["gray.png"].read(), 7)
    np.testing.assert_array_equal(found["transparent.png"].read(), 255)


def test_broken_and_small_pictures_are_skipped_or_refused(tmp_path):
    save(tmp_path / "good.png")
    save(tmp_path / "low.png", size=(20, 15))
    with pytest.warns(SkippedImageWarning, match="low.png must be at least 16 .* got 15x20"):
        photos = find_photos(tmp_path, smallest=16)
    assert names(photos) == {"train": ["good.png"], "validation": [], "test": []}
    with pytest.raises(ValueError, match="low.png must be at least 16"):
        find_photos(tmp_path, strict=True, smallest=16)
    (tmp_path / "broken.png").write_bytes(b"nothing")
    with pytest.warns(SkippedImageWarning, match="broken.png cannot be read"):
        find_photos(tmp_path)
    with pytest.raises(UnreadableImageError, match="broken.png cannot be read"):
        find_photos(tmp_path, strict=True)


def test_no_pictures(tmp_path):
    with pytest.raises(ValueError, match="must hold pictures of at least 16x16 pixels"):
        find_photos(tmp_path, smallest=16)
    with pytest.raises(FileNotFoundError, match="There is no folder nowhere; "):
        find_photos("nowhere")


def test_real_pictures(real_data):
    photos = find_photos(real_data / "camvid" / "val" / "images", smallest=300)
    assert {split: len(found) for split, found in photos.pictures.items()} == {
        "train": 82,
        "validation": 10,
        "test": 9,
    }
    low, high = next(iter(patches(photos, 2, 3, 24, count=82, batch_size=8)))
    assert low.shape == (8, 24, 24, 3)
    assert high.shape == (8, 48, 48, 3)


def test_a_test_folder_without_a_train_folder_is_refused(tmp_path):
    """Otherwise what was kept apart for the test would be trained on."""
    for place in ("a.png", "b.png", "test/c.png"):
        save(tmp_path / place)
    with pytest.raises(ValueError, match="must have a train folder beside test; there is none"):
        find_photos(tmp_path)
