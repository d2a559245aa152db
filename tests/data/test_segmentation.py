import numpy as np
import pytest
import tensorflow_datasets as tfds
from PIL import Image

from kerascnn.arguments import UsageError
from kerascnn.data import (
    IGNORED,
    Augmentation,
    EmbeddedSetWarning,
    HeldOutWarning,
    load_classification,
    load_segmentation,
    load_upscaling,
    memory,
)
from kerascnn.data import tensorflow_datasets as ours
from tests.data.mask_files import CLASSES, save_pair


def test_ignored_classes_leave_no_gap(folder):
    source = load_segmentation(folder, ignore=["sky"])  # and void, whose name says so
    assert source.values == (1, 2)
    _, _, mask = next(source.examples("train"))
    stored = np.asarray(Image.open(folder / "train" / "masks" / "train0.png"))
    expected = np.select([stored == 1, stored == 2], [0, 1], IGNORED)
    np.testing.assert_array_equal(mask, expected)
    with pytest.raises(UsageError, match="`ignore` must be one of 'sky', .*got ignore='skies'"):
        load_segmentation(folder, ignore=["skies"])
    with pytest.raises(UsageError, match="at least two classes; got car"):
        load_segmentation(folder, ignore=["sky", "road"])


def test_pixel_counts(folder):
    save_pair(folder / "train", "extra", values=(0, 0, 3))
    pixels, of_images = load_segmentation(folder).pixel_counts("train")
    masks = [np.asarray(Image.open(path)) for path in (folder / "train" / "masks").iterdir()]
    for value in range(3):
        assert pixels[value] == sum((mask == value).sum() for mask in masks)
        # void pixels belong to no image
        assert of_images[value] == sum((mask != 3).sum() for mask in masks if (mask == value).any())


@pytest.mark.nightly  # by day: a small folder like it
def test_camvid(real_data):
    source = load_segmentation(real_data / "camvid")
    assert source.num_examples == {"train": 367, "validation": 101, "test": 233}
    assert source.ignored == ("void",)
    assert len(source.scored_classes) == 11
    images, masks = next(
        iter(source.pipeline("train", factor=0.5, crop_size=(96, 128), batch_size=3))
    )
    assert images.shape == (3, 96, 128, 3)
    assert masks.shape == (3, 96, 128)


def test_scenes_are_the_same_again_and_masks_fit_their_digits():
    source, again = load_segmentation("scenes"), load_segmentation("scenes")
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
    source = load_segmentation("kerascnn_stripes", data_dir=tmp_path)
    assert source.num_examples == {"train": 16, "validation": 2, "test": 2}
    assert source.scored_classes == ("a", "b")
    _, image, mask = next(source.examples("train"))
    assert image.shape == (*mask.shape, 3)
    np.testing.assert_array_equal(mask, np.where(image[..., 0] == 200, 1, 0))
    with pytest.raises(UsageError, match="oxford_iiit_pet, kerascnn_stripes .*; got 'mnist'"):
        load_segmentation("mnist")


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
    source = load_segmentation(tmp_path)
    assert source.image_shape == (None, None, 3)
    with pytest.raises(UsageError, match="differ in size, so `crop_size` must be given"):
        source.pipeline("train")
    for images, masks in source.pipeline("train", crop_size=(16, 40), batch_size=4):
        assert images.shape[1:] == (16, 40, 3)
        # The image is narrower than the window: the rest is black, and ignored.
        assert (np.asarray(masks)[:, :, :5] == IGNORED).all()
        assert np.asarray(images)[:, :, :5].max() == 0
    save_pair(tmp_path, "wide", size=(40, 50))
    # Whole images of any size come one by one.
    source = load_segmentation(tmp_path)
    batches = list(source.pipeline("validation", batch_size=2))
    for (images, masks), (_, image, mask) in zip(
        batches, source.examples("validation"), strict=True
    ):
        np.testing.assert_array_equal(masks[0], mask)
        np.testing.assert_allclose(images[0], image / np.float32(255), rtol=1e-6)


def test_whole_images_come_in_batches_of_no_more_pixels_than_windows(folder):
    source = load_segmentation(folder)
    batches = {
        crop: next(iter(source.pipeline("validation", crop_size=crop, batch_size=4)))[0].shape[0]
        for crop in (None, (20, 15), (5, 5))
    }
    assert batches == {None: 2, (20, 15): 2, (5, 5): 1}


def test_what_does_not_fit_into_memory_is_the_same(folder, monkeypatch):
    source = load_segmentation(folder)

    def images():
        batches = list(source.pipeline("train", batch_size=3))
        return {image.numpy().tobytes() for batch, _ in batches for image in batch}

    expected = images()
    monkeypatch.setattr(memory, "CACHE_BYTES", 0)
    assert images() == expected
    assert len(expected) == 4


def test_orders_and_views_repeat_under_a_seed(folder):
    source = load_segmentation(folder)
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
    source = load_segmentation(folder)
    with pytest.raises(UsageError, match=r"`factor` must be a number in \(0, 8\]; got factor"):
        source.pipeline("train", factor=0)
    with pytest.raises(UsageError, match="`crop_size` must be an int or a pair"):
        source.pipeline("train", crop_size=(0, 3))
    with pytest.raises(UsageError, match="augmented by flip, .*; got cutout, mixup"):
        source.pipeline("train", augment=Augmentation(cutout=0.2, mixup=0.3))


def test_of_large_images_validation_sees_the_middle(tmp_path, monkeypatch):
    monkeypatch.setattr("kerascnn.data.segmentation._LARGEST", 16)
    for i, size in enumerate([(20, 30), (12, 40), (20, 30), (20, 30)]):
        save_pair(tmp_path / ("train" if i < 2 else "val"), f"street{i}", size)
    (tmp_path / "classes.txt").write_text("\n".join(CLASSES))
    with pytest.warns(HeldOutWarning):
        source = load_segmentation(tmp_path)
    (_, image, mask), _ = source.examples("validation")
    seen, labels = next(iter(source.pipeline("validation", crop_size=8)))
    np.testing.assert_allclose(seen[0], image[2:18, 7:23] / 255, rtol=1e-6)
    np.testing.assert_array_equal(labels[0], mask[2:18, 7:23])


def test_a_folder_with_the_name_of_an_embedded_set(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, load in (
        ("scenes", load_segmentation),
        ("digits", load_classification),
        ("photos", load_upscaling),
    ):
        (tmp_path / name).mkdir()
        with pytest.warns(EmbeddedSetWarning, match=f"folder of that name use ./{name}"):
            assert load(name).name == name
