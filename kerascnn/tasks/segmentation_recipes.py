"""Recipes for segmentation."""

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
    """A recipe with additional fields for segmentation.

    Args:
        loss: str, the argument of `kerascnn.losses.dense_loss`.
        class_weights: bool, whether rare classes get a larger weight, by median frequency
            balancing.
        factor: float, factor to resize images by before the model.
        crop_size: `(height, width)` of training crops after resizing; `None` for whole images.
    """

    loss: str = "cross_entropy"
    class_weights: bool = False
    factor: float = 1.0
    crop_size: tuple[int, int] | None = None

    def __post_init__(self):
        super().__post_init__()
        dense_loss(self.loss)  # raises an error that lists the known names
        if not 0 < self.factor < math.inf:
            raise UsageError(f"`factor` must be a number above 0; got factor={self.factor}.")
        if self.crop_size is not None:
            pair(self.crop_size, "crop_size")


# Digits keep their class under these operations, but not under a flip.
_CHARACTERS = Augmentation(shift=0.05, zoom=0.1, rotate=8.0)
_STREETS = Augmentation(flip=True, zoom=0.25, rotate=4.0, color=0.3)

RECIPES = Recipes(
    {
        # A useful result within minutes on two cores, for the embedded scenes.
        "quick": SegmentationRecipe(
            epochs=9,
            batch_size=16,
            learning_rate=4e-3,
            weight_decay=0.02,
            augmentation=_CHARACTERS,
            loss="cross_entropy+dice",
        ),
        # For some hundreds of real images.
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
        # The same images with a pretrained encoder: first only the decoder, then all layers.
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
# Default crop size for images that are large or differ in size.
_CROP = (256, 256)
_LARGE = 640 * 640  # pixels


def cropped(recipe, image_size):
    """Returns a recipe with crops if whole images cannot be used for training.

    Args:
        recipe: `SegmentationRecipe`.
        image_size: `(height, width)` of the stored images, `None` if they vary.
    """
    whole = None not in image_size and math.prod(image_size) * recipe.factor**2 <= _LARGE
    if recipe.crop_size or whole:
        return recipe
    return dataclasses.replace(recipe, crop_size=_CROP)
