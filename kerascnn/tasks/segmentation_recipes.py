"""How segmentation models are trained: a row for each recipe."""

import dataclasses
import math
from dataclasses import dataclass

from kerascnn.arguments import UsageError, pair
from kerascnn.data import Augmentation
from kerascnn.losses import dense_loss
from kerascnn.tasks.recipes import Recipes
from kerascnn.training import Recipe


@dataclass(frozen=True)
class SegmentationRecipe(Recipe):
    """A recipe with what segmentation needs beyond classification.

    Args:
        loss: str, as `kerascnn.losses.dense_loss` takes it.
        class_weights: bool, whether rare classes weigh more, by median frequency balancing.
        factor: float, by which images are resized before the model sees them.
        crop_size: `(height, width)` of the training windows after that; `None` for whole images.
    """

    loss: str = "cross_entropy"
    class_weights: bool = False
    factor: float = 1.0
    crop_size: tuple[int, int] | None = None

    def __post_init__(self):
        super().__post_init__()
        dense_loss(self.loss)  # knows the name, or lists those it knows
        if not 0 < self.factor < math.inf:
            raise UsageError(f"`factor` must be a number above 0; got factor={self.factor}.")
        if self.crop_size is not None:
            pair(self.crop_size, "crop_size")


# Digits keep their meaning under these, but not in a mirror.
_CHARACTERS = Augmentation(shift=0.05, zoom=0.1, rotate=8.0)
_STREETS = Augmentation(flip=True, zoom=0.25, rotate=4.0, color=0.3)

RECIPES = Recipes(
    {
        # A usable result within minutes on two cores: for the embedded scenes.
        "quick": SegmentationRecipe(
            epochs=9,
            batch_size=16,
            learning_rate=4e-3,
            weight_decay=0.02,
            augmentation=_CHARACTERS,
            loss="cross_entropy+dice",
        ),
        # Photographs, which are some hundreds.
        "standard": SegmentationRecipe(
            epochs=60,
            batch_size=4,
            learning_rate=2e-3,
            warmup_epochs=1.0,
            weight_decay=0.02,
            ema=0.99,
            augmentation=_STREETS,
            loss="cross_entropy+dice",
        ),
        # The same images under an encoder with weights: first the decoder alone, then all.
        "finetune": SegmentationRecipe(
            epochs=40,
            batch_size=4,
            learning_rate=5e-4,
            frozen_epochs=8,
            frozen_learning_rate=2e-3,
            weight_decay=0.02,
            ema=0.99,
            augmentation=_STREETS,
            loss="cross_entropy+dice",
        ),
    }
)
# Windows of photographs that differ in size or are large, if no other size is asked for.
_CROP = (256, 256)
_LARGE = 640 * 640  # pixels


def cropped(recipe, image_size):
    """Returns a recipe with windows where whole images cannot be trained on.

    Args:
        recipe: `SegmentationRecipe`.
        image_size: `(height, width)` of the stored images, `None` where they vary.
    """
    whole = None not in image_size and math.prod(image_size) * recipe.factor**2 <= _LARGE
    if recipe.crop_size or whole:
        return recipe
    return dataclasses.replace(recipe, crop_size=_CROP)
