"""Labeled images, and the pipelines that feed them to a classifier."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from kerascnn.arguments import UsageError, at_least_one, one_of, pair
from kerascnn.data import memory, order
from kerascnn.data.augmentation import keyed
from kerascnn.data.float_batches import scaled_batches
from kerascnn.data.names import EMBEDDED, is_embedded, is_folder
from kerascnn.data.pixels import resize, to_channels
from kerascnn.data.prefetching import prefetched
from kerascnn.data.report import Report
from kerascnn.data.splits import SPLITS, example_names

# Channels of a pipeline by the channels of the stored images: transparency is resolved.
_CHANNELS = {1: 1, 3: 3, 4: 3}


@dataclass(frozen=True)
class ClassificationData:
    """A dataset of labeled images; `load_classification` makes it.

    Args:
        name: str, the name of the dataset or the path of the folder.
        class_names: names of the classes, in the order of the labels.
        stored_shape: `(height, width, channels)` of the stored images; height and width are `None`
            where they vary.
        num_examples: `{split: number of images}`.
        elements: `{split: tf.data.Dataset}`, the examples as they are stored.
        decode: function from such an example to a uint8 image and an int64 label.
        image_size: optional int or `(height, width)` to which pipelines resize.
        channels: 1 or 3, or `None` for as many as stored images have.
        version: optional str, the version of the dataset.
        file_names: optional `{split: names of the files}`.
        stored_label: optional function from a stored example to its label, where a label may be
            outside [0, number of classes).
        report: optional `kerascnn.data.report.Report` on how a folder is read.

    Raises:
        UsageError: for a wrong argument, or stored images with another number of channels than 1,
            3 or 4.
    """

    name: str
    class_names: tuple[str, ...]
    stored_shape: tuple[int | None, int | None, int]
    num_examples: Mapping[str, int]
    elements: Mapping[str, tf.data.Dataset]
    decode: Callable[..., Any]
    image_size: int | tuple[int, int] | None = None
    channels: int | None = None
    version: str | None = None
    file_names: Mapping[str, tuple[str, ...]] | None = None
    stored_label: Callable[..., Any] | None = None
    report: Report | None = None

    def __post_init__(self):
        if self.image_size is not None:
            pair(self.image_size, "image_size")
        if self.channels is not None:
            one_of(self.channels, (1, 3), "channels")
        elif self.stored_shape[2] not in _CHANNELS:
            raise UsageError(
                f"The images of {self.name} must have 1, 3 or 4 channels; "
                f"got shape {self.stored_shape}."
            )

    @property
    def image_shape(self) -> tuple[int | None, ...]:
        """`(height, width, channels)` of the pipelines; sizes are `None` where they vary."""
        size = self.stored_shape[:2]
        if self.image_size is not None:
            size = pair(self.image_size, "image_size")
        return (*size, self.channels or _CHANNELS[self.stored_shape[2]])

    def resized(
        self, image_size: int | Sequence[int] | None, channels: int | None = None
    ) -> "ClassificationData":
        """Returns the same data with another image size in the pipelines.

        Args:
            image_size: int or `(height, width)`, or `None` for the size of the stored images.
            channels: 1 or 3; by default as before.

        Returns:
            `ClassificationData`.

        Example:
            >>> import kerascnn
            >>> kerascnn.data.load_classification("digits").resized(28, channels=3).image_shape
            (28, 28, 3)
        """
        return dataclasses.replace(self, image_size=image_size, channels=channels or self.channels)

    def check_labels(self) -> None:
        """Reads all labels of a dataset that may have one of no class, such as -1 for unknown.

        Raises:
            UsageError: for the first label outside [0, number of classes).
        """
        if self.stored_label is None:
            return
        classes = len(self.class_names)
        for split, elements in self.elements.items():
            labels = elements.map(self.stored_label, tf.data.AUTOTUNE).batch(4096)
            for batch in labels.as_numpy_iterator():
                wrong = batch[(batch < 0) | (batch >= classes)]
                if len(wrong):
                    raise UsageError(
                        f"The labels of {self.name} must be in [0, {classes}), for {classes} "
                        f"classes; got {wrong[0]} in the {split} split."
                    )

    def labels(self, split: str = "train") -> np.ndarray:
        """Reads the labels of a split, without the images.

        Args:
            split: `"train"`, `"validation"` or `"test"`.

        Returns:
            int64 array of shape `(examples,)`.
        """
        label = self.stored_label or (lambda *example: example[-1])
        batches = self.elements[one_of(split, SPLITS, "split")].map(label, tf.data.AUTOTUNE)
        found = list(batches.batch(4096).as_numpy_iterator())
        return np.concatenate(found).astype(np.int64) if found else np.zeros(0, np.int64)

    def balanced(self) -> "ClassificationData":
        """Returns the same data with a training split in which all classes are equally frequent.

        Images of rare classes are there several times, so that each class has as many as the
        largest one.

        Returns:
            `ClassificationData`.

        Example:
            >>> import numpy as np
            >>> import kerascnn
            >>> digits = kerascnn.data.load_classification("digits").balanced()
            >>> set(np.bincount(digits.labels()).tolist())
            {128}
        """
        labels = self.labels()
        copies = _copies(labels)
        pairs = tf.data.Dataset.zip(
            self.elements["train"], tf.data.Dataset.from_tensor_slices(copies)
        )
        elements = pairs.flat_map(
            lambda example, count: tf.data.Dataset.from_tensors(example).repeat(count)  # pyright: ignore[reportArgumentType]
        )
        names = self.file_names
        if names is not None:
            names = {**names, "train": tuple(np.repeat(names["train"], copies).tolist())}
        return dataclasses.replace(
            self,
            elements={**self.elements, "train": elements},
            num_examples={**self.num_examples, "train": int(copies.sum())},
            file_names=names,
        )

    def pipeline(
        self, split: str, *, batch_size: int = 128, seed: int = 0, augment: Any = None
    ) -> tf.data.Dataset:
        """Returns batches of images and labels for `model.fit`.

        The training split is shuffled: in another order in every epoch. What a step sees depends on
        `seed`, the number of the epoch and the place in the epoch alone. The other splits keep
        their order. What fits into memory is decoded in the first epoch only.

        Args:
            split: `"train"`, `"validation"` or `"test"`.
            batch_size: int.
            seed: int, decides the orders and all random changes of the training split.
            augment: optional `Augmentation` of the training split, or a function on a batch of its
                images, such as a Keras preprocessing layer. A function that is not a Keras layer
                must not draw random numbers, if a training is to resume exactly.

        Returns:
            `tf.data.Dataset` of float32 images `(batch, height, width, channels)` in [0, 1] and
            int64 labels `(batch,)`.

        Raises:
            UsageError: for a wrong argument, or images of several sizes without `image_size`.
        """
        one_of(split, SPLITS, "split")
        at_least_one(batch_size, "batch_size")
        height, width, channels = self.image_shape
        if None in (height, width):
            raise UsageError(
                f"The images of {self.name} differ in size: `image_size` must be given; "
                f"got image_size={self.image_size}."
            )
        count = self.num_examples[split]
        same_size = (height, width) == self.stored_shape[:2]
        bytes_per_image = height * width * channels * (1 if same_size else 4)
        fits = memory.fits(count * bytes_per_image)

        def read(*example):
            image, label = self.decode(*example)
            return resize(to_channels(image, channels), (height, width)), label

        if split != "train":
            dataset = self.elements[split].map(read, tf.data.AUTOTUNE)
            dataset = (dataset.cache() if fits else dataset).batch(batch_size)
            dataset = scaled_batches(dataset, batch_size, self.file_names is not None)
            return prefetched(dataset, -(-count // batch_size))
        change = None
        if augment is not None:
            change = keyed(augment, len(self.class_names))

        def finish(batches, epoch, start):
            """Scales and augments the batches of an epoch."""
            batches = scaled_batches(batches, batch_size, self.file_names is not None)
            if change is None:
                return batches
            key = order.epoch_key(seed, epoch, 1)
            # A function that draws its own random numbers must be called in order.
            parallel = tf.data.AUTOTUNE if change.exact else None
            return batches.enumerate(start).map(
                lambda step, batch: change(*batch, tf.random.fold_in(key, step, alg="philox")),  # pyright: ignore[reportArgumentType, reportCallIssue]
                parallel,
            )

        return self._shuffled(read, fits, batch_size, seed, finish)

    def _shuffled(self, read, fits, batch_size, seed, finish):
        """Returns the batches of the training split, in another order in every epoch."""
        elements, count = self.elements["train"], self.num_examples["train"]
        steps = -(-count // batch_size)

        def gathered(epoch, start, table):
            """Batches of decoded images: a step gathers its own."""
            images, labels = table
            places = order.permutation(order.epoch_key(seed, epoch), count)

            def batch(step):
                chosen = places[step * batch_size : (step + 1) * batch_size]
                return tf.gather(images, chosen), tf.gather(labels, chosen)

            batches = tf.data.Dataset.range(start, steps).map(batch, tf.data.AUTOTUNE)
            return finish(batches, epoch, start)

        def decoded(epoch, start, table):
            """Batches of images that are kept as they are stored, or as names of files."""
            places = order.permutation(order.epoch_key(seed, epoch), count)

            def one(place):
                # An index in brackets would be five operations.
                chosen = tf.gather(places, place)
                stored = tf.nest.map_structure(lambda part: tf.gather(part, chosen), table)
                return read(*_arguments(stored))

            images = tf.data.Dataset.range(start * batch_size, count).map(one, tf.data.AUTOTUNE)
            return finish(images.batch(batch_size), epoch, start)

        def streamed(epoch, start):
            """Batches of a dataset that is only read from its beginning; what is skipped too."""
            key = order.epoch_key(seed, epoch)
            images = order.shuffled(elements, memory.SHUFFLE_BUFFER, key).skip(start * batch_size)
            batches = images.map(read, tf.data.AUTOTUNE).batch(batch_size)
            return finish(batches, epoch, start)

        if fits:
            table = order.in_memory(elements.map(read, tf.data.AUTOTUNE), count)
            return order.batches_by_epoch(gathered, steps, table)
        if count <= memory.SHUFFLE_BUFFER or self.file_names is not None:
            return order.batches_by_epoch(decoded, steps, order.in_memory(elements, count))
        return order.batches_by_epoch(streamed, steps)

    def examples(self, split: str) -> Iterator[Any]:
        """Yields the images one by one at their stored size, in the order in which they are stored.

        Args:
            split: `"train"`, `"validation"` or `"test"`.

        Yields:
            the path of the file below the folder (or `test-00012` for a dataset without files), a
            uint8 image `(height, width, channels)` and an int label.

        Example:
            >>> import kerascnn
            >>> digits = kerascnn.data.load_classification("digits")
            >>> name, image, label = next(digits.examples("test"))
            >>> name, image.shape, label
            ('test-00000', (8, 8, 1), 7)
        """
        one_of(split, SPLITS, "split")
        channels = self.image_shape[2]

        def read(*example):
            image, label = self.decode(*example)
            return to_channels(image, channels), label

        dataset = prefetched(self.elements[split].map(read, tf.data.AUTOTUNE))
        names = example_names(split, self.file_names)
        for name, (image, label) in zip(names, dataset.as_numpy_iterator(), strict=False):
            yield name, image, int(label)


def _arguments(example):
    """Returns a stored example as `decode` takes it: a tuple is several arguments."""
    return example if isinstance(example, tuple) else (example,)


def _copies(labels):
    """Returns how often each example must be there for all classes to be equally frequent."""
    counts = np.bincount(labels)
    copies = counts.max() // counts[labels]
    for label in np.flatnonzero(counts):
        places = np.flatnonzero(labels == label)
        copies[places[: counts.max() % counts[label]]] += 1
    return copies.astype(np.int64)


def load_classification(
    name_or_folder: str | Path,
    *,
    data_dir: str | Path | None = None,
    image_size: int | Sequence[int] | None = None,
    channels: int | None = None,
    strict: bool = False,
    max_pixels: int | None = None,
    value_ranges: dict[str, Any] | None = None,
) -> ClassificationData:
    """Loads a dataset of labeled images.

    The images of a folder are read once, to find broken ones.

    Args:
        name_or_folder: `"digits"` (embedded: scikit-learn's handwritten digits), a folder with a
            subfolder of images for each class (or with `train`, `validation` and `test` folders of
            that form, or of other forms that `docs/en/reference/folders.md` lists), a folder with
            the files of ETL-1 (`ETL1C_01` and so on: its digits), or the name of a classification
            dataset of TensorFlow Datasets.
        data_dir: folder of TensorFlow Datasets; a dataset prepared there needs no network.
        image_size: int or `(height, width)` to which pipelines resize; by default the size of the
            images, if they share one.
        channels: 1 or 3; by default as in the images.
        strict: bool, whether a broken image in a folder is an error; otherwise it is skipped with
            a `SkippedImageWarning`.
        max_pixels: int, the largest image in a folder that is read, as in `read_image`.
        value_ranges: optional `{type: (low, high)}` that the images of a folder with more than
            eight bits are scaled by, as in `read_image`; by default what the training images need.

    Returns:
        `ClassificationData`.

    Raises:
        UsageError: for an unknown name, an unusable folder or a wrong argument.
        FileNotFoundError: if a folder does not exist.
        UnreadableImageError: if `strict` and an image is broken.
        ConnectionError: if a dataset is neither prepared nor can be downloaded.

    Example:
        >>> import kerascnn
        >>> digits = kerascnn.data.load_classification("digits")
        >>> digits.image_shape, len(digits.class_names), digits.num_examples["train"]
        ((8, 8, 1), 10, 1257)
        >>> images, labels = next(iter(digits.pipeline("train", batch_size=32)))
        >>> tuple(images.shape), tuple(labels.shape)
        ((32, 8, 8, 1), (32,))
    """
    name = str(name_or_folder)
    if is_embedded(name, "classification"):
        from kerascnn.data.digits import digits

        data = digits()
    elif is_folder(name):
        from kerascnn.data.class_folder import class_folder
        from kerascnn.data.etl1 import etl1, etl1_files

        if etl1_files(name):
            data = etl1(name)
        else:
            data = class_folder(name, strict, max_pixels, value_ranges)
    elif name in EMBEDDED["segmentation"]:
        raise UsageError(f"{name!r} has masks, which are for segmentation, and no labels.")
    else:
        from kerascnn.data.tensorflow_datasets import classification_dataset

        data = classification_dataset(name, data_dir)
    return dataclasses.replace(data, image_size=image_size, channels=channels)
