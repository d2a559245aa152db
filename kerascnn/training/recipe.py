"""How to train, in numbers."""

from dataclasses import dataclass

import keras


@dataclass(frozen=True)
class Recipe:
    """Numbers that together train a model well: AdamW, and a learning rate that falls as a cosine.

    Args:
        epochs: int, passes over the training images.
        batch_size: int, images in a step.
        learning_rate: float, at the start; it ends at zero.
        weight_decay: float, the part of every weight that a step takes away, times the learning
            rate.
        translation: float, how far images are shifted at random in training, as a part of their
            size; 0 for not at all.

    Reference:
        [Loshchilov and Hutter, 2019](https://arxiv.org/abs/1711.05101)
    """

    epochs: int
    batch_size: int = 128
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    translation: float = 0.0

    def __post_init__(self):
        for name in ("epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"`{name}` must be at least 1; got {name}={getattr(self, name)}.")
        for name in ("learning_rate", "weight_decay", "translation"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ValueError(
                    f"`{name}` must be a number from 0; got {name}={getattr(self, name)}."
                )

    def augmentation(self, seed):
        """The function on a batch of images that `kerascnn.data.load` takes, or `None`."""
        if not self.translation:
            return None
        shift = keras.layers.RandomTranslation(
            self.translation, self.translation, fill_mode="constant", seed=seed
        )
        return lambda images: shift(images, training=True)

    def optimizer(self, steps):
        """The optimizer for a training of so many steps."""
        schedule = keras.optimizers.schedules.CosineDecay(self.learning_rate, steps)
        return keras.optimizers.AdamW(schedule, weight_decay=self.weight_decay)
