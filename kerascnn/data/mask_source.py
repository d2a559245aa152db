"""A set of images with masks, and the pipelines that feed it to a segmentation model."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from kerascnn.arguments import one_of, pair
from kerascnn.data import memory
from kerascnn.data.augmentation import Augmentation
from kerascnn.data.joint_augmentation import random_view
from kerascnn.data.pixels import rescale, scale, scaled_size, to_channels
from kerascnn.data.source import SPLITS
from kerascnn.ops.ignored import IGNORED

# The longest side of an image in validation, which sees an image at once.
_LARGEST = 1024

# Classes of these names are always ignored.
_IGNORED_NAMES = ("void", "ignore", "ignored", "unlabeled", "unlabelled")


@dataclass(frozen=True)
class MaskSource:
    """A set of images with masks, found but not yet read.

    Stored masks hold the numbers of `class_names`, or 255 for nothing. Pipelines give other
    numbers: those of the classes that are not ignored, counted through, and `IGNORED`.

    Args:
        name: str, the name of the set or the path of the folder.
        class_names: names of all classes, in the order of the values in the masks.
        ignored: names of the classes that count nowhere.
        image_shape: `(height, width, channels)`; height and width are `None` where they vary.
        elements: `{split: tf.data.Dataset}`, the examples as they are stored.
        decode: function from such an example to a uint8 image `(height, width, channels)` and a
            uint8 mask `(height, width)`.
        num_examples: `{split: number of images}`.
        num_pixels: optional `{split: number of pixels of all images}`, where it is known although
            the images differ in size.
        file_names: optional `{split: names of the images}`.
        version: str, the version of the set, if it has one.

    Raises:
        ValueError: if fewer than two classes are left, or there are more than 255.
    """

    name: str
    class_names: tuple[str, ...]
    ignored: tuple[str, ...]
    image_shape: tuple[int | None, int | None, int]
    elements: Mapping[str, tf.data.Dataset]
    decode: Callable[..., Any]
    num_examples: Mapping[str, int]
    num_pixels: Mapping[str, int] | None = None
    file_names: Mapping[str, tuple[str, ...]] | None = None
    version: str | None = None

    def __post_init__(self):
        if len(self.class_names) > IGNORED:
            raise ValueError(
                f"{self.name} must have at most {IGNORED} classes; got {len(self.class_names)}."
            )
        for name in self.ignored:
            one_of(name, self.class_names, "ignore")
        if len(self.counted) < 2:
            raise ValueError(
                f"{self.name} must have at least two classes that count; "
                f"got {', '.join(self.counted) or 'none'}."
            )

    @property
    def counted(self):
        """Names of the classes that count, in the order of the labels."""
        return tuple(name for name in self.class_names if name not in self.ignored)

    @property
    def values(self):
        """The value in a stored mask of each class that counts."""
        return tuple(self.class_names.index(name) for name in self.counted)

    @property
    def channels(self):
        """1 for gray images, otherwise 3."""
        return 1 if self.image_shape[2] == 1 else 3

    def examples(self, split, channels=None):
        """Whole images, one by one, for a test.

        Args:
            split: `"train"`, `"validation"` or `"test"`.
            channels: 1 or 3; by default what the images have.

        Yields:
            the name of the file (or the number of the example), a uint8 image `(height, width,
            channels)` and a uint8 mask `(height, width)` of labels.
        """
        one_of(split, SPLITS, "split")
        names = (self.file_names or {}).get(split)
        dataset = self._read(self.elements[split], channels or self.channels)
        dataset = dataset.prefetch(tf.data.AUTOTUNE)
        for i, (image, mask) in enumerate(dataset.as_numpy_iterator()):
            yield (names[i] if names else str(i)), image, mask

    def pixel_counts(self, split="train"):
        """How often each class occurs.

        Args:
            split: `"train"`, `"validation"` or `"test"`.

        Returns:
            two int64 arrays of shape `(classes,)`: the pixels of each class, and the pixels of all
            images in which it occurs.
        """
        pixels = np.zeros(len(self.counted), np.int64)
        of_images = np.zeros(len(self.counted), np.int64)
        examples = self._read(self.elements[split], self.channels)
        for mask in examples.map(lambda image, mask: mask).as_numpy_iterator():
            counts = np.bincount(mask.ravel(), minlength=256)
            found = counts[: len(self.counted)]
            pixels += found
            of_images += np.where(found > 0, counts[:IGNORED].sum(), 0)
        return pixels, of_images

    def _fits(self, split, factor, channels):
        """Whether a split may be kept in memory."""
        pixels = (self.num_pixels or {}).get(split)
        if pixels is None:
            if None in self.image_shape[:2]:
                return False
            pixels = self.num_examples[split] * self.image_shape[0] * self.image_shape[1]
        bytes_per_pixel = channels * (1 if factor == 1 else 4) + 1
        return memory.fits(pixels * factor**2 * bytes_per_pixel)

    def _read(self, elements, channels):
        # A constant of the graph: a lookup is faster than a comparison with every class.
        labels = np.full(256, IGNORED, np.uint8)
        labels[list(self.values)] = np.arange(len(self.values))

        def read(*example):
            image, mask = self.decode(*example)
            return to_channels(image, channels), tf.gather(labels, tf.cast(mask, tf.int32))

        return elements.map(read, tf.data.AUTOTUNE)

    def pipeline(
        self,
        split,
        factor=1.0,
        crop_size=None,
        channels=None,
        batch_size=8,
        seed=0,
        augment=None,
    ):
        """Batches of images and masks for `model.fit`.

        The training split is shuffled, augmented and cut to windows of one size, each at a place
        drawn at random. The other splits stay whole, but for the middle 1024x1024 pixels of what is
        larger, and come in batches of no more pixels than in training, one image at least.

        Args:
            split: `"train"`, `"validation"` or `"test"`.
            factor: float, by which images are resized first: 0.5 for half of the height and width.
            crop_size: int or `(height, width)` of the windows, after resizing; by default whole
                images, if they share one size.
            channels: 1 or 3; by default what the images have.
            batch_size: int.
            seed: int, decides the orders and all that is random of the training split.
            augment: optional `Augmentation` of the training split; its `flip`, `shift`, `zoom`,
                `rotate` and `color` are used on images and masks alike.

        Returns:
            `tf.data.Dataset` of float32 images `(batch, height, width, channels)` with values from
            0 to 1 and uint8 masks `(batch, height, width)`.

        Raises:
            ValueError: for a wrong argument.
        """
        one_of(split, SPLITS, "split")
        if batch_size < 1:
            raise ValueError(f"`batch_size` must be at least 1; got batch_size={batch_size}.")
        channels = one_of(channels or self.channels, (1, 3), "channels")
        size = scaled_size(self.image_shape[:2], factor)
        count = self.num_examples[split]
        fits = self._fits(split, factor, channels)
        elements = self.elements[split]
        if split == "train" and not fits:  # as they are stored, which takes less memory
            elements = elements.shuffle(
                min(count, memory.SHUFFLE_BUFFER), seed=seed, reshuffle_each_iteration=True
            )
        dataset = self._read(elements, channels).map(_resized(factor), tf.data.AUTOTUNE)
        if split != "train" and any(side is None or side > _LARGEST for side in size):
            dataset = dataset.map(_middle, tf.data.AUTOTUNE)
        if fits:
            dataset = dataset.cache()
        if split == "train":
            if crop_size is None and None in size:
                raise ValueError(
                    f"The images of {self.name} differ in size: `crop_size` must be given; "
                    f"got crop_size={crop_size}."
                )
            window = size if crop_size is None else pair(crop_size, "crop_size")
            view = random_view(augment or Augmentation(), window)
            # A number for each example makes what is random the same in any order of computation.
            numbers = tf.data.Dataset.random(seed, rerandomize_each_iteration=True)
            if fits:
                dataset = dataset.shuffle(count, seed=seed, reshuffle_each_iteration=True)
            dataset = tf.data.Dataset.zip(dataset, numbers.batch(2, drop_remainder=True))
            dataset = dataset.map(
                lambda example, number: view(scale(example[0]), example[1], number),
                tf.data.AUTOTUNE,
            )
            dataset = dataset.batch(batch_size)
        else:
            batch_size = _whole_at_once(batch_size, size, crop_size)
            dataset = dataset.batch(batch_size)
            dataset = dataset.map(lambda images, masks: (scale(images), masks), tf.data.AUTOTUNE)
        dataset = dataset.prefetch(tf.data.AUTOTUNE)
        return dataset.apply(tf.data.experimental.assert_cardinality(-(-count // batch_size)))


def _whole_at_once(batch_size, size, crop_size):
    """How many whole images have as many pixels as a batch of windows: one, if they differ."""
    if None in size:
        return 1
    size = [min(side, _LARGEST) for side in size]
    window = size if crop_size is None else pair(crop_size, "crop_size")
    return max(1, batch_size * math.prod(window) // math.prod(size))


def _middle(image, mask):
    rows, columns = (
        slice(tf.maximum(side - _LARGEST, 0) // 2, tf.maximum(side - _LARGEST, 0) // 2 + _LARGEST)
        for side in tf.unstack(tf.shape(mask))
    )
    return image[rows, columns], mask[rows, columns]


def _resized(factor):
    def resized(image, mask):
        image = rescale(image, factor)
        size = tf.shape(image)[:2]
        return image, tf.image.resize(mask[..., tf.newaxis], size, "nearest")[..., 0]

    return resized if factor != 1 else lambda image, mask: (image, mask)


def ignored_among(class_names, ignore=None):
    """The classes to ignore: those whose name says so, and the asked-for."""
    by_name = (name for name in class_names if name.casefold() in _IGNORED_NAMES)
    return tuple(dict.fromkeys((*by_name, *(ignore or ()))))
