"""A data set, and the pipelines that feed it to a model."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from kerascnn.arguments import one_of, pair
from kerascnn.data import memory
from kerascnn.data.augmentation import Augmentation
from kerascnn.data.pixels import resize, scale, to_channels

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class DataInfo:
    """What is known of the data in a pipeline.

    Args:
        name: str, the name of the set or the path of the folder.
        class_names: names of the classes, in the order of the labels.
        image_shape: `(height, width, channels)`.
        num_examples: `{split: number of images}`.
        version: str, the version of the set, if it has one.
    """

    name: str
    class_names: tuple[str, ...]
    image_shape: tuple[int, int, int]
    num_examples: Mapping[str, int]
    version: str | None = None


@dataclass(frozen=True)
class Source:
    """A set of labelled images, found but not yet read.

    Args:
        name: str, the name of the set or the path of the folder.
        class_names: names of the classes, in the order of the labels.
        image_shape: `(height, width, channels)`; height and width are `None` where they vary.
        elements: `{split: tf.data.Dataset}`, the examples as they are stored.
        decode: function from such an example to a uint8 image and an int64 label.
        num_examples: `{split: number of images}`.
        version: str, the version of the set, if it has one.
        stored_label: optional function from a stored example to its label, where a label may be
            outside [0, number of classes).
    """

    name: str
    class_names: tuple[str, ...]
    image_shape: tuple[int | None, int | None, int]
    elements: Mapping[str, tf.data.Dataset]
    decode: Callable[..., Any]
    num_examples: Mapping[str, int]
    version: str | None = None
    stored_label: Callable[..., Any] | None = None

    def check_labels(self):
        """Reads all labels where one may be no class; some sets have -1 for an unknown class.

        Raises:
            ValueError: for the first label outside [0, number of classes).
        """
        if self.stored_label is None:
            return
        classes = len(self.class_names)
        for split, elements in self.elements.items():
            labels = elements.map(self.stored_label, tf.data.AUTOTUNE).batch(4096)
            for batch in labels.as_numpy_iterator():
                wrong = batch[(batch < 0) | (batch >= classes)]
                if len(wrong):
                    raise ValueError(
                        f"The labels of {self.name} must be in [0, {classes}), for {classes} "
                        f"classes; got {wrong[0]} in the {split} split."
                    )

    def info(self, image_size=None, channels=None):
        """`DataInfo` of the pipelines with this image size and number of channels."""
        given = image_size is not None
        size = pair(image_size, "image_size") if given else self.image_shape[:2]
        if None in size:
            raise ValueError(
                f"The images of {self.name} differ in size: `image_size` must be given; "
                f"got image_size={image_size}."
            )
        if channels is None:
            # Transparency is resolved: four channels become three.
            channels = {1: 1, 3: 3, 4: 3}.get(self.image_shape[2])
            if channels is None:
                raise ValueError(
                    f"The images of {self.name} must have 1, 3 or 4 channels; "
                    f"got shape {self.image_shape}."
                )
        shape = (*size, one_of(channels, (1, 3), "channels"))
        return DataInfo(self.name, self.class_names, shape, dict(self.num_examples), self.version)

    def augmenting(self, augment, seed):
        """`augment` as a function of images and labels."""
        if isinstance(augment, Augmentation):
            return augment.function(seed, len(self.class_names))
        return lambda images, labels: (augment(images), labels)

    def pipeline(self, split, image_size=None, channels=None, batch_size=128, seed=0, augment=None):
        """Batches of images and labels; see `kerascnn.data.load`."""
        one_of(split, SPLITS, "split")
        if batch_size < 1:
            raise ValueError(f"`batch_size` must be at least 1; got batch_size={batch_size}.")
        height, width, channels = self.info(image_size, channels).image_shape
        elements, count = self.elements[split], self.num_examples[split]
        same_size = (height, width) == self.image_shape[:2]
        bytes_per_image = height * width * channels * (1 if same_size else 4)
        fits = memory.fits(count * bytes_per_image)

        def read(*example):
            image, label = self.decode(*example)
            return resize(to_channels(image, channels), (height, width)), label

        def shuffled(dataset):
            buffer = count if fits else min(count, memory.SHUFFLE_BUFFER)
            return dataset.shuffle(buffer, seed=seed, reshuffle_each_iteration=True)

        training = split == "train"
        if fits:
            dataset = elements.map(read, tf.data.AUTOTUNE).cache()
            dataset = shuffled(dataset) if training else dataset
        else:
            dataset = shuffled(elements) if training else elements
            dataset = dataset.map(read, tf.data.AUTOTUNE)
        dataset = dataset.batch(batch_size)
        dataset = dataset.map(lambda images, labels: (scale(images), labels), tf.data.AUTOTUNE)
        if augment is not None and training:
            # One call at a time: random numbers must be drawn in the same order in every run.
            dataset = dataset.map(self.augmenting(augment, seed))
        dataset = dataset.prefetch(tf.data.AUTOTUNE)
        return dataset.apply(tf.data.experimental.assert_cardinality(-(-count // batch_size)))
