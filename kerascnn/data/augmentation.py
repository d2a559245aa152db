"""Random augmentation of training images with Keras's preprocessing layers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from kerascnn.arguments import UsageError
from kerascnn.backend.private_keras import draw_from


@dataclass(frozen=True)
class Augmentation:
    """Random augmentation of training batches; each image changes by its own random amount.

    Images have pixel values in [0, 1]. Pixels from outside the image are black after a shift or a
    crop, and reflected at the border after a rotation or a zoom.

    Args:
        flip: bool, whether images are flipped left to right with a probability of 0.5.
        crop: float, padding of zeros around an image, as a fraction of its size, before a random
            crop of the original size: a shift by whole pixels.
        shift: float, largest shift, as a fraction of the image's size; includes subpixel shifts.
        zoom: float, largest change of scale, in both directions: 0.1 for 10 %.
        rotate: float, largest angle in degrees, in both directions.
        color: float, largest change of brightness and contrast: 0.2 for 20 %.
        rand_augment: int, number of RandAugment operations applied to a batch.
        cutout: float, size of a black square in every image, as a fraction of the image's size.
        mixup: float, parameter of the beta distribution that mixes pairs of images and their
            labels; labels become one-hot vectors.

    Raises:
        UsageError: if a value is out of range.

    Reference:
        shifts, [Simard et al., 2003](https://doi.org/10.1109/ICDAR.2003.1227801); RandAugment,
        [Cubuk et al., 2020](https://arxiv.org/abs/1909.13719); cutout, [DeVries and Taylor,
        2017](https://arxiv.org/abs/1708.04552); mixup, [Zhang et al.,
        2018](https://arxiv.org/abs/1710.09412)

    Example:
        >>> import kerascnn
        >>> augment = kerascnn.data.Augmentation(shift=0.1, rotate=10.0)
        >>> digits = kerascnn.data.load_classification("digits")
        >>> train = digits.pipeline("train", augment=augment)
        >>> augment.names()
        ['shift', 'rotate']
    """

    flip: bool = False
    crop: float = 0.0
    shift: float = 0.0
    zoom: float = 0.0
    rotate: float = 0.0
    color: float = 0.0
    rand_augment: int = 0
    cutout: float = 0.0
    mixup: float = 0.0

    def __post_init__(self):
        for name, largest in _LARGEST.items():
            value = getattr(self, name)
            if not isinstance(value, int | float) or not 0 <= value <= largest:
                raise UsageError(
                    f"`{name}` must be a number in [0, {largest}]; got {name}={value!r}."
                )

    def names(self) -> list[str]:
        """Returns the names of the enabled operations, in the order in which they apply."""
        return [name for name in self.__dataclass_fields__ if getattr(self, name)]

    def function(self, num_classes: int) -> Callable[..., Any]:
        """Returns a function that augments a batch of images and int labels.

        Args:
            num_classes: int, the number of classes, for the one-hot vectors of mixup.

        Returns:
            function from float32 images `(batch, height, width, channels)`, int64 labels `(batch,)`
            and a key, an int32 tensor of shape `(2,)`, to augmented images and labels; with mixup,
            labels are float32 vectors `(batch, num_classes)`. The key determines all random values.
            The function is meant for `tf.data.Dataset.map`.
        """
        layers = self._layers()
        mix = keras.layers.MixUp(self.mixup) if self.mixup else None

        def augment(images, labels, key):
            images = _changed(layers, images, key)
            if mix is None:
                return images, labels
            draw_from(mix, _Draws(tf.random.fold_in(key, len(layers), alg="philox")))
            mixed = mix(
                {"images": images, "labels": tf.one_hot(labels, num_classes)}, training=True
            )
            return mixed["images"], mixed["labels"]

        augment.exact = True
        return augment

    def _layers(self):
        options: dict[str, Any] = {"data_format": "channels_last", "dtype": "float32"}
        outside: dict[str, Any] = {"fill_mode": "constant", "fill_value": 0.0, **options}
        known = keras.layers
        every = {
            "flip": lambda: known.RandomFlip("horizontal", **options),
            # Keras's RandomCrop crops all images of a batch at the same position.
            "crop": lambda: known.RandomTranslation(
                self.crop, self.crop, interpolation="nearest", **outside
            ),
            "shift": lambda: known.RandomTranslation(self.shift, self.shift, **outside),
            "zoom": lambda: known.RandomZoom(self.zoom, **options),
            "rotate": lambda: known.RandomRotation(self.rotate / 360, **options),
            "contrast": lambda: known.RandomContrast(
                # In Keras 3.15, a single number only increases contrast, and never reduces it.
                (self.color, self.color),
                value_range=(0, 1),
                dtype="float32",
            ),
            "brightness": lambda: known.RandomBrightness(
                self.color / 2, value_range=(0, 1), dtype="float32"
            ),
            "rand_augment": lambda: known.RandAugment(
                value_range=(0, 1), num_ops=self.rand_augment, **options
            ),
            "cutout": lambda: known.RandomErasing(
                factor=(1.0, 1.0),  # pyright: ignore[reportArgumentType]
                scale=(self.cutout**2, self.cutout**2),
                value_range=(0, 1),
                fill_value=0.0,
                **options,
            ),
        }
        amounts = {"contrast": self.color, "brightness": self.color}
        return [make() for name, make in every.items() if amounts.get(name, getattr(self, name, 0))]


class _Draws(keras.random.SeedGenerator):
    """A sequence of seeds that depends only on a key."""

    def __init__(self, key):
        # Keras's generator has a variable, which depends on all previous draws.
        self.key, self.drawn = key, 0

    def next(self, ordered=True):
        self.drawn += 1
        return tf.random.fold_in(self.key, self.drawn, alg="philox")


def keyed(augment, num_classes):
    """Converts the `augment` argument of a pipeline to a function of images, labels and a key.

    Args:
        augment: `Augmentation`, a Keras preprocessing layer or another function of images.
        num_classes: int.

    Returns:
        function with an attribute `exact`: whether the key determines all random values.
    """
    if isinstance(augment, Augmentation):
        return augment.function(num_classes)

    def change(images, labels, key):
        if isinstance(augment, keras.layers.Layer):
            return _changed([augment], images, key), labels
        return augment(images), labels

    change.exact = isinstance(augment, keras.layers.Layer)
    return change


def _changed(layers, images, key):
    for number, layer in enumerate(layers):
        if not layer.built:  # building a composite layer draws random values
            layer(images, training=True)
        draw_from(layer, _Draws(tf.random.fold_in(key, number, alg="philox")))
        images = layer(images, training=True)
    return images


_LARGEST = {
    "flip": 1,
    "crop": 1,
    "shift": 1,
    "zoom": 1,
    "rotate": 180,
    "color": 1,
    "rand_augment": 10,
    "cutout": 1,
    "mixup": 10,
}
