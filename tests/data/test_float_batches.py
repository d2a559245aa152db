import gc

import numpy as np
import pytest
import tensorflow as tf

from kerascnn.data import float_batches
from kerascnn.data.float_batches import scaled_batches
from kerascnn.data.pixels import scale

SHAPE = (7, 9, 3)


def pixels(count=50):
    images = np.random.default_rng(0).integers(0, 256, (count, *SHAPE), np.uint8)
    images[0, 0, :, 0] = np.arange(9)
    images[1].reshape(-1)[:] = np.arange(np.prod(SHAPE))
    images[2].reshape(-1)[:70] = np.arange(186, 256)
    return images


def dataset(images, batch_size=4):
    parts = tf.data.Dataset.from_tensor_slices((images, np.arange(len(images))))
    return scaled_batches(parts.batch(batch_size), batch_size, keep_memory=True).prefetch(2)


@pytest.fixture
def small(monkeypatch):
    """Batches of any size count as large; returns how much memory each of the scalings keeps."""
    made = []

    class Watched(float_batches._ReusedFloats):
        def __init__(self):
            super().__init__()
            made.append(self)

    monkeypatch.setattr(float_batches, "_LARGE", 1)
    monkeypatch.setattr(float_batches, "_ReusedFloats", Watched)
    return made


def test_values_and_labels_are_those_of_scale(small):
    images = pixels()
    for _ in range(3):
        found = list(dataset(images))
        assert [len(part) for part, _ in found] == [4] * 12 + [2]
        np.testing.assert_array_equal(np.concatenate([part for part, _ in found]), scale(images))
        np.testing.assert_array_equal(np.concatenate([part for _, part in found]), np.arange(50))
    assert dataset(images).element_spec[0].shape == (None, *SHAPE)


@pytest.mark.parametrize("held", ["tensors", "arrays", "views"])
def test_batches_that_are_held_keep_their_values(small, held):
    images, kept = pixels(200), []
    for part, _ in dataset(images):
        part = part if held == "tensors" else part.numpy()
        kept.append(part[:, 1:][:, :3] if held == "views" else part)
        gc.collect(0)
    expected = scale(images).numpy()
    expected = expected[:, 1:4] if held == "views" else expected
    np.testing.assert_array_equal(np.concatenate(kept), expected)


def test_what_a_function_makes_of_a_batch_does_not_reach_the_next(small):
    images = pixels(80)
    changed = dataset(images).map(lambda x, y: (x * 2 + 1, y), tf.data.AUTOTUNE).prefetch(2)
    found = np.concatenate([part for part, _ in changed])
    np.testing.assert_array_equal(found, scale(images) * 2 + 1)


def test_memory_is_used_again(small):
    batches = dataset(pixels(400))
    for _ in range(2):
        for part, _ in batches:
            part.numpy()
    (scaled,) = small
    assert 0 < len(scaled._kept) <= float_batches._MOST_KEPT


def test_small_batches_and_floats_are_scaled_by_tensorflow(small):
    parts = tf.data.Dataset.from_tensor_slices((pixels(), np.arange(50))).batch(4)
    for given, keep in ((parts, False), (parts.map(lambda x, y: (tf.cast(x, "float32"), y)), True)):
        found = np.concatenate([part for part, _ in scaled_batches(given, 4, keep)])
        np.testing.assert_array_equal(found, scale(pixels()))
    assert not small
