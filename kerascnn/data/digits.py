"""The handwritten digits of scikit-learn: 1,797 images of 8x8 pixels."""

import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from kerascnn.data.classification import ClassificationData


def digit_images():
    """Returns all images, uint8 of shape `(1797, 8, 8, 1)`, scaled from [0, 16] to [0, 255]."""
    return np.round(load_digits().images[..., np.newaxis] * (255 / 16)).astype(np.uint8)  # pyright: ignore[reportAttributeAccessIssue]


def digit_parts():
    """Returns `{split: (indices, labels)}` of `digit_images`; the splits are fixed."""
    labels = load_digits().target.astype(np.int64)  # pyright: ignore[reportAttributeAccessIssue]
    rest, test = train_test_split(
        np.arange(len(labels)), test_size=360, random_state=0, stratify=labels
    )
    train, validation = train_test_split(rest, test_size=180, random_state=0, stratify=labels[rest])
    parts = {"train": train, "validation": validation, "test": test}
    return {split: (part, labels[part]) for split, part in parts.items()}


def digits():
    """Returns a fixed split of 1,257 training, 180 validation and 360 test images.

    Source: [Alpaydin and Kaynak, 1998](https://archive.ics.uci.edu/dataset/80).
    """
    images, parts = digit_images(), digit_parts()
    return ClassificationData(
        name="digits",
        class_names=tuple(str(digit) for digit in range(10)),
        stored_shape=(8, 8, 1),
        elements={
            split: tf.data.Dataset.from_tensor_slices((images[part], labels))
            for split, (part, labels) in parts.items()
        },
        decode=lambda image, label: (image, label),
        num_examples={split: len(part) for split, (part, _) in parts.items()},
    )
