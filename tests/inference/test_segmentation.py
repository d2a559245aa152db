import keras
import numpy as np
import pytest
import tensorflow as tf

from kerascnn.inference import segment
from kerascnn.inference.segmentation import _enlarged
from kerascnn.layers import CropLike2D

CLASSES = 3


@pytest.fixture(scope="module")
def model():
    """A small network with pooling that sees 14 pixels to every side."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((None, None, 1))
    x = keras.layers.Conv2D(4, 5, padding="same", activation="relu")(inputs)
    skip = x
    x = keras.layers.MaxPooling2D(4, padding="same")(x)
    x = keras.layers.Conv2D(4, 5, padding="same", activation="relu")(x)
    x = keras.layers.Conv2DTranspose(4, 4, strides=4)(x)
    x = CropLike2D()([x, skip]) + skip
    return keras.Model(inputs, keras.layers.Conv2D(CLASSES, 1)(x))


def image(height, width):
    return np.random.default_rng(0).integers(0, 256, (height, width, 1), np.uint8)


def whole(model, pixels):
    return tf.nn.softmax(model(pixels[np.newaxis] / np.float32(255)))[0].numpy()


def test_an_image_that_fits_goes_through_at_once(model):
    pixels = image(20, 36)
    (band,) = segment(model, pixels)
    np.testing.assert_allclose(band, whole(model, pixels), atol=1e-6)


@pytest.mark.parametrize("size", [(300, 280), (64, 700), (600, 40), (128, 132), (224, 320)])
def test_tiles_answer_as_the_whole(model, size):
    pixels = image(*size)
    bands = list(segment(model, pixels, tile=128))
    assert max(len(band) for band in bands) <= 128
    if size[0] > 128:
        assert len(bands) > 1
    # The model sees no farther than 14 pixels, and nothing counts less than 8 from a tile's border.
    found, expected = np.concatenate(bands), whole(model, pixels)
    assert found.shape == expected.shape
    far = np.abs(found - expected).max(axis=-1) > 1e-5
    seams = np.zeros(size, bool)
    for axis, side in enumerate(size):
        for start in range(96, side, 96):
            seams[(slice(None),) * axis + (slice(start, start + 32),)] = True
    assert not far[~seams].any()
    assert far.mean() < 0.05
    np.testing.assert_allclose(found, expected, atol=0.2)
    np.testing.assert_allclose(found.sum(axis=-1), 1, atol=1e-5)


def test_seams_vanish_if_the_overlap_is_wide_enough(model):
    # With tiles of 256 the overlap is 64, of which the outer 16 count nothing: more than 14.
    pixels = image(500, 300)
    found = np.concatenate(list(segment(model, pixels, tile=256)))
    np.testing.assert_allclose(found, whole(model, pixels), atol=1e-5)


@pytest.mark.parametrize("factor", [0.5, 0.3, 1.7])
@pytest.mark.parametrize("tile", [128, 1024])
def test_a_resized_image_is_answered_at_its_own_size(model, factor, tile):
    pixels = image(301, 230)
    small = [int(side * factor + 0.5) for side in pixels.shape[:2]]
    resized = tf.image.resize(pixels, small, antialias=True)
    # The same model at the small size, and then TensorFlow's own interpolation.
    logits = model(resized[np.newaxis] / 255.0)
    expected = tf.image.resize(tf.nn.softmax(logits), pixels.shape[:2])[0].numpy()
    found = np.concatenate(list(segment(model, pixels, factor, tile)))
    assert found.shape == (301, 230, CLASSES)
    assert np.abs(found - expected).mean() < 1e-3
    if tile == 1024:
        np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("factor", [0.4, 2.5, 3, 8])
@pytest.mark.parametrize("rows", [1, 3, 50])
def test_bands_are_enlarged_as_a_whole_is(factor, rows):
    size = (20, 13)
    small = [int(side * factor + 0.5) for side in size]
    values = np.random.default_rng(0).uniform(size=(*small, 2)).astype("float32")
    bands = (values[top : top + rows] for top in range(0, len(values), rows))
    found = np.concatenate(list(_enlarged(bands, small, size)))
    np.testing.assert_allclose(found, tf.image.resize(values, size), atol=1e-5)


def test_a_single_pixel(model):
    assert np.concatenate(list(segment(model, image(1, 1), 0.1))).shape == (1, 1, CLASSES)


def test_tiles_of_a_wrong_size(model):
    with pytest.raises(ValueError, match="`tile` must be a multiple of 128; got tile=100"):
        list(segment(model, image(3, 3), tile=100))
