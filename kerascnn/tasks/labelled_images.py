"""Labelled images for models with a fixed input size."""

from itertools import islice

import numpy as np
import tensorflow as tf

from kerascnn import models, visualize
from kerascnn.arguments import UsageError, at_least_one
from kerascnn.data import load_classification, order

_PREVIEWED = 8

# Images up to this many times larger than a model's default size are not resized.
_LARGER = 4


def load(request, start):
    """Loads the data of a request, with the size and channels of the model's input."""
    data = load_classification(
        request.data,
        data_dir=request.data_dir,
        strict=request.strict,
        max_pixels=request.max_pixels,
    )
    data.check_labels()
    return data.resized(_image_size(request, start, data.stored_shape), start.channels)  # pyright: ignore[reportArgumentType]


def reload(record, name, data_dir, max_pixels=None):
    """Loads data to evaluate a run on, read and resized like its training data."""
    height, width, channels = record.data.image_shape
    data = load_classification(
        name, data_dir=data_dir, max_pixels=max_pixels, value_ranges=record.data.value_ranges
    )
    data.check_labels()
    return data.resized((height, width), channels)


def mismatch(model, record):
    """Returns why the images of a record do not fit a model, or `None`."""
    shape = record.data.image_shape
    if shape is None or None in shape:
        return "data.image_shape must be three numbers"
    if len(model.inputs) != 1 or len(model.input_shape) != 4:
        return "the input of the model must be images"
    takes = model.input_shape[1:]
    if any(side not in (None, own) for side, own in zip(takes, shape, strict=True)):
        return f"data.image_shape is {shape}, and the input shape of the model is {takes}"
    return None


def class_mismatch(model, class_names):
    """Returns why classes do not fit a model, or `None`."""
    outputs = model.output_shape[-1]
    if outputs == len(class_names):
        return None
    return f"data.class_names has {len(class_names)} classes, and the model has {outputs}"


def training_images(data, record, count):
    """Yields uint8 training images at the model's input size."""
    batches = data.pipeline("train", batch_size=record.training.batch_size)
    images = (image for batch, _ in batches for image in batch.numpy())
    return (np.round(image * 255).astype(np.uint8) for image in islice(images, count))


def remarks(data):
    """Returns a line about the image size, if images are resized."""
    height, width, _ = data.stored_shape
    rows, columns, _ = data.image_shape
    if not (height and width):
        return [f"images:      of several sizes, resized to {columns}x{rows} (--image-size)"]
    if (height, width) == (rows, columns):
        return []
    return [f"images:      {width}x{height}, resized to {columns}x{rows} (--image-size)"]


def preview(data, recipe, seed, title, versions):
    """Plots training images, with augmented versions below them."""
    images, labels = next(iter(data.pipeline("train", batch_size=_PREVIEWED, seed=seed)))
    augment = recipe.augmentation.function(len(data.class_names))
    keys = tf.data.Dataset.from_tensor_slices(order.keys(order.epoch_key(seed, 0, 1), versions))
    augmented = keys.map(lambda key: augment(images, labels, key)).as_numpy_iterator()
    return visualize.augmentation(
        images.numpy(),
        labels.numpy(),
        list(augmented),
        data.class_names,
        title,
    )


def _image_size(request, start, stored_shape):
    """Returns the requested size, the images' size if close to the model's, or the model's."""
    asked = request.image_size
    if start.trained is not None and None not in start.trained.input_shape[1:3]:
        size = start.trained.input_shape[1:3]
        if asked is not None and (asked, asked) != tuple(size):
            wanted = size[0] if size[0] == size[1] else f"{size[0]}x{size[1]}"
            raise UsageError(
                f"`image_size` must match the weights, {wanted}; got image_size={asked}."
            )
        return size
    if asked is not None:
        return (at_least_one(asked, "image_size"),) * 2
    default = models.model_info(start.model).input_shape[:2]
    height, width, _ = stored_shape
    if not (height and width) or min(height, width) < min(default):  # pyright: ignore[reportArgumentType]
        return default
    return default if max(height, width) > _LARGER * max(default) else (height, width)  # pyright: ignore[reportArgumentType]
