"""Random changes of training images, by Keras's own preprocessing layers."""

from dataclasses import dataclass

import keras
import tensorflow as tf

from kerascnn.arguments import UsageError
from kerascnn.backend.private_keras import draw_from


@dataclass(frozen=True)
class Augmentation:
    """Random changes of the images of a training batch, each by its own amount.

    Images have pixel values in [0, 1]. Pixels from outside the image are black after a shift or a
    crop, and mirrored at the border after a rotation or a zoom.

    Args:
        flip: bool, whether half of the images are mirrored left to right.
        crop: float, zeros around an image, as a fraction of its size, before a random window of
            the image's size is cut out: a shift by whole pixels.
        shift: float, largest shift, as a fraction of the image's size, also by parts of a pixel.
        zoom: float, by how much an image is enlarged or reduced, 0.1 for 10 %.
        rotate: float, the largest angle in degrees, to either side.
        color: float, by how much brightness and contrast change, 0.2 for 20 %.
        rand_augment: int, how many operations of RandAugment change a batch.
        cutout: float, the side of a black square on every image, as a fraction of its size.
        mixup: float, the parameter of the beta distribution by which pairs of images and their
            labels are mixed; labels then are one-hot vectors.

    Raises:
        UsageError: if a number is out of its range.

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
                    f"`{name}` must be a number from 0 to {largest}; got {name}={value!r}."
                )

    def names(self):
        """Returns the names of the changes, in their order."""
        return [name for name in self.__dataclass_fields__ if getattr(self, name)]

    def function(self, num_classes):
        """Returns the function that changes a batch of images and int labels.

        Args:
            num_classes: int, for the one-hot vectors of mixup.

        Returns:
            function from float32 images `(batch, height, width, channels)`, int64 labels
            `(batch,)` and a key, an int32 tensor of shape `(2,)`, to changed images and labels;
            with mixup, labels are float32 vectors `(batch, num_classes)`. The key decides what is
            random. It is made for `tf.data.Dataset.map`.
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
        options = {"data_format": "channels_last", "dtype": "float32"}
        outside = {"fill_mode": "constant", "fill_value": 0.0, **options}
        known = keras.layers
        every = {
            "flip": lambda: known.RandomFlip("horizontal", **options),
            # Keras's RandomCrop cuts the same window out of all images of a batch.
            "crop": lambda: known.RandomTranslation(
                self.crop, self.crop, interpolation="nearest", **outside
            ),
            "shift": lambda: known.RandomTranslation(self.shift, self.shift, **outside),
            "zoom": lambda: known.RandomZoom(self.zoom, **options),
            "rotate": lambda: known.RandomRotation(self.rotate / 360, **options),
            "contrast": lambda: known.RandomContrast(
                # Keras 3.15 takes a single number for how much more contrast there may be, and
                # no less.
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
                factor=(1.0, 1.0),
                scale=(self.cutout**2, self.cutout**2),
                value_range=(0, 1),
                fill_value=0.0,
                **options,
            ),
        }
        amounts = {"contrast": self.color, "brightness": self.color}
        return [make() for name, make in every.items() if amounts.get(name, getattr(self, name, 0))]


class _Draws(keras.random.SeedGenerator):
    """Seeds that a key decides: the first one drawn from it, the second one, and so on."""

    def __init__(self, key):
        # A generator of Keras has a variable, which depends on all that was drawn before.
        self.key, self.drawn = key, 0

    def next(self, ordered=True):
        self.drawn += 1
        return tf.random.fold_in(self.key, self.drawn, alg="philox")


def keyed(augment, num_classes):
    """Returns a function of images, labels and a key, from what a pipeline is given.

    Args:
        augment: `Augmentation`, a Keras preprocessing layer or another function of images.
        num_classes: int.

    Returns:
        function with an attribute `exact`: whether the key decides all that is random.
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
        if not layer.built:  # a layer of layers draws while it is built
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
