"""Classification datasets of TensorFlow Datasets."""

import time

import numpy as np
import pytest
import tensorflow_datasets as tfds

from kerascnn.arguments import UsageError
from kerascnn.data import (
    load_classification,
)
from kerascnn.data import tensorflow_datasets as ours
from tests.data.test_classification import examples_of, images_of, labels_of


def test_mnist(real_data):
    data = load_classification("mnist", data_dir=real_data / "tfds")
    assert data.num_examples == {"train": 54_000, "validation": 6_000, "test": 10_000}
    assert data.image_shape == (28, 28, 1)
    # The counts of the ten digits in MNIST's 10,000 test images.
    counts = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    np.testing.assert_array_equal(np.bincount(labels_of(data.pipeline("test"))), counts)


def test_cifar10(real_data):
    data = load_classification("cifar10", data_dir=real_data / "tfds")
    assert data.class_names[:3] == ("airplane", "automobile", "bird")
    assert images_of(data.pipeline("test")).shape == (10_000, 32, 32, 3)


def test_set_that_cannot_be_had_fails_within_seconds(tmp_path, monkeypatch):
    import requests

    def no_network(*args, **kwargs):
        raise requests.ConnectionError("no route")

    monkeypatch.setattr(ours.requests, "head", no_network)
    began = time.monotonic()
    with pytest.raises(ConnectionError, match=r"'cifar100'.*not prepared in .*data_dir") as caught:
        load_classification("cifar100", data_dir=tmp_path)
    assert time.monotonic() - began < 10
    assert str(tmp_path) in str(caught.value)


class KerascnnColors(tfds.core.GeneratorBasedBuilder):
    """A small set, so that preparing one can be tested without a network."""

    VERSION = tfds.core.Version("1.0.0")
    broken = False
    last_label = 1

    def _info(self):
        features = {
            "image": tfds.features.Image(shape=(None, None, 3)),
            "label": tfds.features.ClassLabel(names=["red", "blue"]),
        }
        return self.dataset_info_from_configs(features=tfds.features.FeaturesDict(features))

    def _split_generators(self, dl_manager):
        if self.broken:
            raise OSError("the server hung up")
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        for i in range(40):
            image = np.zeros((8, 8 + i % 3, 3), np.uint8)
            image[..., 2 * (i % 2)] = 255
            yield i, {"image": image, "label": i % 2 if i < 39 else self.last_label}


def test_a_set_is_prepared_where_it_is_not_yet(tmp_path):
    data = load_classification("kerascnn_colors", data_dir=tmp_path, image_size=8)
    assert data.num_examples == {"train": 32, "validation": 4, "test": 4}
    assert data.class_names == ("red", "blue")
    images, labels = examples_of(data.pipeline("train"))
    np.testing.assert_array_equal(images[:, 4, 4, 2] > 0.5, labels == 1)
    assert data.stored_shape == (None, None, 3)


def test_a_set_with_an_example_of_no_class(tmp_path, monkeypatch):
    load_classification("kerascnn_colors", data_dir=tmp_path / "right").check_labels()
    monkeypatch.setattr(KerascnnColors, "last_label", -1)
    data = load_classification("kerascnn_colors", data_dir=tmp_path / "wrong")
    with pytest.raises(UsageError, match=r"in \[0, 2\), for 2 classes; got -1 in the \w+ split"):
        data.check_labels()


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ("train validation test", "train validation test"),
        ("train test", "train[:90%] train[90%:] test"),
        ("train validation", "train[:90%] train[90%:] validation"),
        ("train", "train[:80%] train[80%:90%] train[90%:]"),
        ("test", "test[:80%] test[80%:90%] test[90%:]"),
        ("validation", "validation[:80%] validation[80%:90%] validation[90%:]"),
    ],
)
def test_no_example_serves_twice(found, expected):
    assert list(ours._splits(found.split()).values()) == expected.split()


def test_a_set_with_a_configuration(tmp_path, monkeypatch):
    def no_network(*args, **kwargs):
        raise ours.requests.ConnectionError

    monkeypatch.setattr(ours.requests, "head", no_network)
    with pytest.raises(ConnectionError, match="'emnist'.* not prepared in .*letters"):
        load_classification("emnist/letters", data_dir=tmp_path)
    with pytest.raises(FileNotFoundError, match="no folder no/such"):
        load_classification("no/such")


def test_a_download_that_breaks_off(tmp_path, monkeypatch):
    monkeypatch.setattr(KerascnnColors, "broken", True)
    with pytest.raises(OSError, match="the server hung up"):
        load_classification("kerascnn_colors", data_dir=tmp_path, image_size=8)
