"""Datasets of images with masks, and pipelines for segmentation models."""

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from kerascnn.arguments import UsageError, at_least_one, one_of, pair
from kerascnn.data import flat, memory, order
from kerascnn.data.augmentation import Augmentation
from kerascnn.data.joint_augmentation import random_view
from kerascnn.data.names import is_embedded, is_folder
from kerascnn.data.pixels import rescale, scale, scaled_size, to_channels
from kerascnn.data.prefetching import prefetched
from kerascnn.data.report import Report
from kerascnn.data.splits import SPLITS, example_names
from kerascnn.ops.ignored import IGNORED

# The longest side of a validation image, which the model processes in one piece.
_LARGEST = 1024

# Classes of these names are always ignored.
_IGNORED_NAMES = ("void", "ignore", "ignored", "unlabeled", "unlabelled")


@dataclass(frozen=True)
class SegmentationData:
    """A dataset of images with masks, as returned by `load_segmentation`.

    Stored masks hold indices of `class_names`, or 255 for no class. Pipelines return other numbers:
    indices of `scored_classes`, and `IGNORED` for every other pixel.

    Args:
        name: str, the name of the dataset or the path of the folder.
        class_names: names of all classes, in the order of the values in the masks.
        ignored: names of the classes whose pixels are ignored.
        stored_shape: `(height, width, channels)` of the stored images; height and width are `None`
            if they vary.
        num_examples: `{split: number of images}`.
        elements: `{split: tf.data.Dataset}`, the examples as they are stored.
        decode: function from such an example to a uint8 image `(height, width, channels)` and a
            uint8 mask `(height, width)`.
        num_pixels: optional `{split: number of pixels of all images}`, if known although the images
            differ in size.
        version: optional str, the version of the dataset.
        file_names: optional `{split: names of the files}`.
        report: optional `kerascnn.data.report.Report` on how a folder was interpreted.

    Raises:
        UsageError: if fewer than two classes remain, or there are more than 255.
    """

    name: str
    class_names: tuple[str, ...]
    ignored: tuple[str, ...]
    stored_shape: tuple[int | None, int | None, int]
    num_examples: Mapping[str, int]
    elements: Mapping[str, tf.data.Dataset]
    decode: Callable[..., Any]
    num_pixels: Mapping[str, int] | None = None
    version: str | None = None
    file_names: Mapping[str, tuple[str, ...]] | None = None
    report: Report | None = None

    def __post_init__(self):
        if len(self.class_names) > IGNORED:
            raise UsageError(
                f"{self.name} must have at most {IGNORED} classes; got {len(self.class_names)}."
            )
        for name in self.ignored:
            one_of(name, self.class_names, "ignore")
        if len(self.scored_classes) < 2:
            raise UsageError(
                f"{self.name} must have at least two classes that are not ignored; "
                f"got {', '.join(self.scored_classes) or 'none'}."
            )

    @property
    def scored_classes(self) -> tuple[str, ...]:
        """Names of the classes that are not ignored, in the order of the labels."""
        return tuple(name for name in self.class_names if name not in self.ignored)

    @property
    def channels(self) -> int:
        """1 for gray images, otherwise 3."""
        return 1 if self.stored_shape[2] == 1 else 3

    @property
    def image_shape(self) -> tuple[int | None, ...]:
        """`(height, width, channels)` of the images; sizes are `None` if they vary."""
        return (*self.stored_shape[:2], self.channels)

    @property
    def values(self) -> tuple[int, ...]:
        """The value of each of the `scored_classes` in a stored mask."""
        return tuple(self.class_names.index(name) for name in self.scored_classes)

    def pixel_counts(self, split: str = "train") -> tuple[np.ndarray, np.ndarray]:
        """Counts the pixels of each class.

        Args:
            split: `"train"`, `"validation"` or `"test"`.

        Returns:
            two int64 arrays of shape `(classes,)`: the pixels of each class, and the pixels of all
            images that contain the class.
        """
        pixels = np.zeros(len(self.scored_classes), np.int64)
        of_images = np.zeros(len(self.scored_classes), np.int64)
        examples = self._read(self.elements[split], self.channels)
        for mask in examples.map(lambda image, mask: mask).as_numpy_iterator():
            counts = np.bincount(mask.ravel(), minlength=256)
            found = counts[: len(self.scored_classes)]
            pixels += found
            of_images += np.where(found > 0, counts[:IGNORED].sum(), 0)
        return pixels, of_images

    def pipeline(
        self,
        split: str,
        *,
        factor: float = 1.0,
        crop_size: int | Sequence[int] | None = None,
        channels: int | None = None,
        batch_size: int = 8,
        seed: int = 0,
        augment: Any = None,
    ) -> tf.data.Dataset:
        """Returns batches of images and masks for `model.fit`.

        The training split is shuffled, augmented and cropped to one size at random positions. A
        step depends only on `seed`, the epoch and the batch number. Images of the other splits stay
        whole (only the central 1024x1024 pixels of larger images are used), and a batch has no more
        pixels than in training, or one image.

        Args:
            split: `"train"`, `"validation"` or `"test"`.
            factor: float, factor to resize images by first: 0.5 halves height and width.
            crop_size: int or `(height, width)` of the crops, after resizing; by default whole
                images, if they share one size.
            channels: 1 or 3; by default as in the images.
            batch_size: int.
            seed: int, random seed for order and augmentation of the training split.
            augment: optional `Augmentation` of the training split; its `flip`, `shift`, `zoom`,
                `rotate` and `color` apply to images and masks together.

        Returns:
            `tf.data.Dataset` of float32 images `(batch, height, width, channels)` in [0, 1]
            and uint8 masks `(batch, height, width)`.

        Raises:
            UsageError: for a wrong argument, or images of several sizes without `crop_size`.
        """
        one_of(split, SPLITS, "split")
        at_least_one(batch_size, "batch_size")
        channels = one_of(channels or self.channels, (1, 3), "channels")
        size = scaled_size(self.stored_shape[:2], factor)
        count = self.num_examples[split]
        fits = self._fits(split, factor, channels)
        if split == "train":
            if crop_size is None and None in size:
                raise UsageError(
                    f"The images of {self.name} differ in size, so `crop_size` must be given; "
                    f"got crop_size={crop_size}."
                )
            window = size if crop_size is None else pair(crop_size, "crop_size")
            view = random_view(augment or Augmentation(), window)
            return self._shuffled(view, factor, channels, batch_size, seed, fits)
        dataset = self._read(self.elements[split], channels).map(_resized(factor), tf.data.AUTOTUNE)
        if any(side is None or side > _LARGEST for side in size):
            dataset = dataset.map(_middle, tf.data.AUTOTUNE)
        if fits:
            dataset = dataset.cache()
        batch_size = _whole_at_once(batch_size, size, crop_size)
        dataset = dataset.batch(batch_size)
        dataset = dataset.map(lambda images, masks: (scale(images), masks), tf.data.AUTOTUNE)
        return prefetched(dataset, -(-count // batch_size))

    def _shuffled(self, view, factor, channels, batch_size, seed, fits):
        """Returns batches of random crops of the training split, different in every epoch."""
        elements, count = self.elements["train"], self.num_examples["train"]
        steps = -(-count // batch_size)

        def read(dataset):
            return self._read(dataset, channels).map(_resized(factor), tf.data.AUTOTUNE)

        decoded = read(elements)

        def finish(examples, first, epoch):
            keys = order.keys(order.epoch_key(seed, epoch, 1), count)
            views = examples.enumerate(first).map(
                lambda place, example: view(scale(example[0]), example[1], keys[place]),
                tf.data.AUTOTUNE,
            )
            return views.batch(batch_size)

        def shuffled(epoch, start, table):
            """Crops of examples in memory, or of files whose names are in memory."""
            places = order.permutation(order.epoch_key(seed, epoch), count)
            first = start * batch_size
            chosen = tf.data.Dataset.range(first, count).map(lambda place: places[place])
            if fits:
                examples = chosen.map(lambda place: flat.take(table, place, decoded.element_spec))
                return finish(examples, first, epoch)
            examples = chosen.map(
                lambda place: tf.nest.map_structure(lambda part: part[place], table)
            )
            return finish(read(examples), first, epoch)

        def streamed(epoch, start):
            """Crops of a dataset that is read sequentially; skipped batches are read too."""
            key, first = order.epoch_key(seed, epoch), start * batch_size
            examples = order.shuffled(elements, memory.SHUFFLE_BUFFER, key).skip(first)
            return finish(read(examples), first, epoch)

        if fits:
            return order.batches_by_epoch(shuffled, steps, flat.in_memory(decoded, count))
        if count <= memory.SHUFFLE_BUFFER or self.file_names is not None:
            return order.batches_by_epoch(shuffled, steps, order.in_memory(elements, count))
        return order.batches_by_epoch(streamed, steps)

    def examples(self, split: str, channels: int | None = None) -> Iterator[Any]:
        """Yields the images one by one, at their stored size and in stored order.

        Args:
            split: `"train"`, `"validation"` or `"test"`.
            channels: 1 or 3; by default as in the images.

        Yields:
            the path of the file below the folder (or `test-00012` for a dataset without files), a
            uint8 image `(height, width, channels)` and a uint8 mask `(height, width)` of labels.
        """
        one_of(split, SPLITS, "split")
        channels = one_of(channels or self.channels, (1, 3), "channels")
        dataset = prefetched(self._read(self.elements[split], channels))
        names = example_names(split, self.file_names)
        for name, (image, mask) in zip(names, dataset.as_numpy_iterator(), strict=False):
            yield name, image, mask

    def _fits(self, split, factor, channels):
        """Returns whether a split fits into memory."""
        pixels = (self.num_pixels or {}).get(split)
        if pixels is None:
            if None in self.stored_shape[:2]:
                return False
            pixels = self.num_examples[split] * math.prod(self.stored_shape[:2])  # pyright: ignore[reportArgumentType, reportCallIssue]
        bytes_per_pixel = channels * (1 if factor == 1 else 4) + 1
        return memory.fits(pixels * factor**2 * bytes_per_pixel)

    def _read(self, elements, channels):
        # A lookup in a constant table is faster than a comparison with every class.
        labels = np.full(256, IGNORED, np.uint8)
        labels[list(self.values)] = np.arange(len(self.values))

        def read(*example):
            image, mask = self.decode(*example)
            return to_channels(image, channels), tf.gather(labels, tf.cast(mask, tf.int32))

        return elements.map(read, tf.data.AUTOTUNE)


def load_segmentation(
    name_or_folder: str | Path,
    *,
    data_dir: str | Path | None = None,
    ignore: Sequence[str] | None = None,
    strict: bool = False,
    for_training: bool = True,
    mask_values: Any = None,
    mask_colors: Any = None,
    max_pixels: int | None = None,
    value_ranges: dict[str, Any] | None = None,
) -> SegmentationData:
    """Loads a dataset of images with masks.

    Reads each file of a folder once, to find damaged files.

    Args:
        name_or_folder: `"scenes"` (embedded: scikit-learn's handwritten digits, composed into
            scenes), a folder with `classes.txt`, `images` and `masks` (or with `train`, `val` and
            `test` folders of these two, or in another layout of `docs/en/reference/folders.md`), or
            the name of a dataset of TensorFlow Datasets (`oxford_iiit_pet`).
        data_dir: folder of TensorFlow Datasets; datasets prepared there need no network.
        ignore: optional names of classes to ignore, in addition to classes named `void` or similar
            and to pixels of 255.
        strict: bool, whether a damaged file in a folder is an error; otherwise it is skipped with a
            `SkippedImageWarning`.
        for_training: bool, whether a folder must have images for training and validation, with all
            classes in them; evaluation needs neither.
        mask_values: optional, the values of the classes in the masks of a folder: a list in the
            order of `classes.txt`, a dict by class name (which makes `classes.txt` unnecessary), or
            either as text: `"0,255"`, `"road=0,car=255"`. With `"nearest"` among them, and in JPEG
            files, other values map to the nearest one.
        mask_colors: optional, the same for colored masks: `"road=#804080,car=#00008e"`.
        max_pixels: int, largest number of pixels of an image, as in `read_image`.
        value_ranges: optional `{type: (low, high)}` to scale images of more than eight bits, as in
            `read_image`; by default computed from the training images.

    Returns:
        `SegmentationData`.

    Raises:
        UsageError: for an unknown name or an unusable folder; the error names the file.
        FileNotFoundError: if a folder, or a required part of it, does not exist.
        UnreadableImageError: if `strict` and a file is damaged.
        ConnectionError: if a dataset is not prepared and cannot be downloaded.

    Example:
        >>> import kerascnn
        >>> scenes = kerascnn.data.load_segmentation("scenes")
        >>> images, masks = next(iter(scenes.pipeline("train", batch_size=4)))
        >>> tuple(images.shape), tuple(masks.shape), len(scenes.scored_classes)
        ((4, 48, 48, 3), (4, 48, 48), 11)
    """
    name = str(name_or_folder)
    if (mask_values or mask_colors) and not is_folder(name):
        raise UsageError(
            f"`mask_values` and `mask_colors` are for masks in folders; got {name!r}: leave them "
            "out."
        )
    if is_embedded(name, "segmentation"):
        from kerascnn.data.scenes import scenes

        return dataclasses.replace(scenes(), ignored=tuple(ignore or ()))
    if is_folder(name):
        from kerascnn.data.mask_folder import MaskOptions, mask_folder

        options = MaskOptions(ignore, mask_values, mask_colors, max_pixels, value_ranges)
        return mask_folder(name, options, strict, for_training)
    from kerascnn.data.tensorflow_datasets import segmentation_dataset

    return segmentation_dataset(name, data_dir, ignore)


def _whole_at_once(batch_size, size, crop_size):
    """Returns the number of whole images with as many pixels as a batch of crops, or 1."""
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
    """Returns the classes to ignore: by name, and from `ignore`."""
    by_name = (name for name in class_names if name.casefold() in _IGNORED_NAMES)
    return tuple(dict.fromkeys((*by_name, *(ignore or ()))))
