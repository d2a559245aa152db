import numpy as np
import tensorflow as tf
from scipy import ndimage

from kerascnn.data import IGNORED, Augmentation
from kerascnn.data.joint_augmentation import random_view


def test_a_view_moves_the_mask_with_the_image():
    """An image that shows its own mask still does so after every change."""
    rng = np.random.default_rng(0)
    mask = np.kron(rng.integers(1, 5, (6, 8)), np.ones((10, 10))).astype(np.uint8)
    image = np.repeat(mask[..., np.newaxis] / 5, 3, axis=-1).astype(np.float32)
    view = random_view(Augmentation(flip=True, shift=0.1, zoom=0.3, rotate=25.0), (50, 60))
    outside = 0
    for seed in range(20):
        seen, labels = (part.numpy() for part in view(image, mask, tf.constant([seed, 1])))
        known = labels != IGNORED
        assert 0.5 < known.mean() <= 1
        # Between two fields, bilinear interpolation mixes what the nearest neighbour does not.
        same = np.abs(seen[..., 0] - labels / 5)[known] < 1e-3
        assert same.mean() > 0.75
        well_outside = ndimage.binary_erosion(~known, iterations=2, border_value=1)
        outside += well_outside.sum()
        np.testing.assert_array_equal(seen[well_outside], 0)
    assert outside > 1000


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
