"""What a step sees depends on the seed, the epoch and the place in the epoch alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerascnn import data
from kerascnn.data import Augmentation, memory, order
from kerascnn.data.classification import ClassificationData
from tests.data.mask_files import CLASSES, save_pair

EVERYTHING = Augmentation(flip=True, crop=0.2, shift=0.1, zoom=0.1, rotate=10.0, color=0.3)


@pytest.fixture(autouse=True)
def no_training():
    yield
    order.end_training()


def digits():
    options = {"cutout": 0.2, "mixup": 0.2, "rand_augment": 1}
    augment = Augmentation(**{**EVERYTHING.__dict__, **options})
    return data.load_classification("digits").pipeline("train", batch_size=300, augment=augment)


def small_scenes():
    augment = Augmentation(flip=True, shift=0.1, zoom=0.2, rotate=10.0, color=0.3)
    scenes = data.load_segmentation("scenes")
    return scenes.pipeline("train", crop_size=16, batch_size=220, augment=augment)


def photos():
    found = data.load_upscaling("photos")
    return found.pipeline("train", factor=3, channels=1, patch_size=5, patches=70, batch_size=16)


def epochs(pipeline, count):
    return [
        [tuple(np.array(part) for part in batch) for batch in pipeline.as_numpy_iterator()]
        for _ in range(count)
    ]


# By day, images that stay in memory; others are read the same way by the tests below
@pytest.mark.parametrize(
    ("make", "kept"),
    [
        pytest.param(digits, True, marks=pytest.mark.nightly),
        pytest.param(small_scenes, False, marks=pytest.mark.nightly),
        (photos, True),
        pytest.param(digits, False, marks=pytest.mark.nightly),
        pytest.param(small_scenes, True, marks=pytest.mark.nightly),
        pytest.param(photos, False, marks=pytest.mark.nightly),
    ],
)
def test_a_pipeline_starts_at_any_batch_of_any_epoch(make, kept, monkeypatch):
    if not kept:
        monkeypatch.setattr(memory, "CACHE_BYTES", 0)
        monkeypatch.setattr(memory, "SHUFFLE_BUFFER", 50)  # read from the beginning
    whole = epochs(make(), 3)
    steps = len(whole[0])
    assert steps == len(make())
    keras.utils.set_random_seed(7)  # the state of the process plays no part
    pipeline = make()
    order.begin_epoch(1, start=2)
    second, third = epochs(pipeline, 2)
    assert [len(images) for images, _ in second[:2]] == [0, 0]
    assert len(second) == len(third) == steps
    for found, expected in zip([*second[2:], *third], [*whole[1][2:], *whole[2]], strict=True):
        for part, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(part, other)
    assert not np.array_equal(whole[0][0][0], whole[1][0][0])


def counted(count, read, **options):
    """A dataset whose examples note when they are decoded."""

    def decode(number):
        image = tf.numpy_function(
            lambda n: read.append(int(n)) or np.full((2, 2, 1), n, np.uint8), [number], tf.uint8
        )
        image.set_shape((2, 2, 1))
        return image, tf.constant(0, tf.int64)

    elements = {"train": tf.data.Dataset.range(count)}
    counts = {"train": count}
    return ClassificationData("counted", ("a", "b"), (2, 2, 1), counts, elements, decode, **options)


def test_what_is_skipped_is_not_decoded(monkeypatch):
    monkeypatch.setattr(memory, "CACHE_BYTES", 0)
    read = []
    pipeline = counted(40, read).pipeline("train", batch_size=4)
    order.begin_epoch(3, start=7)
    (batches,) = epochs(pipeline, 1)
    assert [len(images) for images, _ in batches] == 7 * [0] + 3 * [4]
    assert len(read) == 12


def test_every_image_is_seen_once_in_an_epoch():
    pipeline = counted(37, []).pipeline("train", batch_size=5)
    for batches in epochs(pipeline, 2):
        seen = np.concatenate([images[:, 0, 0, 0] for images, _ in batches])
        np.testing.assert_allclose(np.sort(seen) * 255, np.arange(37), atol=1e-4)


def test_a_layer_of_the_user_draws_from_the_place_too():
    layer = keras.layers.Pipeline(
        [keras.layers.RandomFlip("horizontal", seed=1), keras.layers.RandomRotation(0.2, seed=1)]
    )
    digits = data.load_classification("digits")

    def pipeline():
        return digits.pipeline("train", batch_size=600, augment=layer)

    whole = epochs(pipeline(), 2)
    order.begin_epoch(1, start=1)
    (second,) = epochs(pipeline(), 1)
    np.testing.assert_array_equal(second[1][0], whole[1][1][0])


def test_masks_of_several_sizes(tmp_path):
    for part, number in (("train", 5), ("val", 2)):
        for i in range(number):
            save_pair(tmp_path / part, f"{part}{i}", (20 + 3 * i, 30 - 2 * i))
    (tmp_path / "classes.txt").write_text("\n".join(CLASSES))
    with pytest.warns(data.HeldOutWarning):
        source = data.load_segmentation(tmp_path)

    def pipeline():
        return source.pipeline("train", crop_size=8, batch_size=2, augment=Augmentation(flip=True))

    whole = epochs(pipeline(), 2)
    order.begin_epoch(1, start=1)
    (second,) = epochs(pipeline(), 1)
    for found, expected in zip(second[1:], whole[1][1:], strict=True):
        np.testing.assert_array_equal(found[0], expected[0])
        np.testing.assert_array_equal(found[1], expected[1])


@pytest.mark.parametrize("split", ["train", "validation"])
def test_pipelines_do_not_tune_themselves(split):
    """With autotuning, `tf.data` reads image files on one thread in about half of all runs."""
    pipelines = [
        data.load_classification("digits").pipeline(split),
        data.load_segmentation("scenes").pipeline(split),
        data.load_upscaling("photos").pipeline(split, factor=3, channels=1),
    ]
    for pipeline in pipelines:
        assert pipeline.options().autotune.enabled is False
