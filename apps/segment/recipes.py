"""How segmentation models are trained: the numbers, a row for each recipe."""

import dataclasses
import math
from dataclasses import dataclass

from kerascnn.data import Augmentation
from kerascnn.training import Recipe

# What is trained if nothing else is asked for: a network that two cores can train.
MODEL, OPTIONS = "unet", {"width": 16}


@dataclass(frozen=True)
class SegmentationRecipe:
    """What a training is made of, beside the data and the model.

    Args:
        training: `kerascnn.training.Recipe`.
        loss: str, as `kerascnn.training.dense_loss` knows it.
        class_weights: whether rare classes weigh more, by median frequency balancing.
        factor: float, by which images are resized before the model sees them.
        crop_size: `(height, width)` of the training windows after that; `None` for whole images.
    """

    training: Recipe
    loss: str = "cross_entropy"
    class_weights: bool = False
    factor: float = 1.0
    crop_size: tuple[int, int] | None = None


# Digits keep their meaning under these, but not in a mirror.
_CHARACTERS = Augmentation(shift=0.05, zoom=0.1, rotate=8.0)
_STREETS = Augmentation(flip=True, zoom=0.25, rotate=4.0, color=0.3)

RECIPES = {
    # Some good answer within minutes on two cores: for the embedded scenes.
    "quick": SegmentationRecipe(
        Recipe(
            epochs=9,
            batch_size=16,
            learning_rate=4e-3,
            weight_decay=0.02,
            augmentation=_CHARACTERS,
        ),
        loss="cross_entropy+dice",
    ),
    # Photographs, which are some hundreds.
    "standard": SegmentationRecipe(
        Recipe(
            epochs=60,
            batch_size=4,
            learning_rate=2e-3,
            warmup_epochs=1.0,
            weight_decay=0.02,
            ema=0.99,
            augmentation=_STREETS,
        ),
        loss="cross_entropy+dice",
    ),
}
# Windows of photographs that differ in size or are large, if no other size is asked for.
_CROP = (256, 256)
_LARGE = 640 * 640  # pixels


def recipe_for(name, data, **overrides):
    """The recipe for a set of images with masks.

    Args:
        name: str, one of `RECIPES`, or `None` for what fits to the data.
        data: str, the name of the set or its folder.
        **overrides: fields of `SegmentationRecipe`, or of its `training`, to take instead; `None`
            changes nothing.

    Raises:
        ValueError: for an unknown name, or a number out of its range.
    """
    if name is None:
        name = "quick" if data == "scenes" else "standard"
    if name not in RECIPES:
        known = ", ".join(repr(known) for known in RECIPES)
        raise ValueError(f"`recipe` must be one of {known}; got recipe={name!r}.")
    recipe = RECIPES[name]
    overrides = {key: value for key, value in overrides.items() if value is not None}
    own = {field.name for field in dataclasses.fields(SegmentationRecipe)}
    training = {key: value for key, value in overrides.items() if key not in own}
    changes = {key: value for key, value in overrides.items() if key in own}
    training = dataclasses.replace(recipe.training, **training)
    return dataclasses.replace(recipe, training=training, **changes)


def cropped(recipe, image_size):
    """A recipe with windows, where whole images cannot be trained on.

    Args:
        recipe: `SegmentationRecipe`.
        image_size: `(height, width)` of the stored images, `None` where they vary.
    """
    whole = None not in image_size and math.prod(image_size) * recipe.factor**2 <= _LARGE
    if recipe.crop_size or whole:
        return recipe
    return dataclasses.replace(recipe, crop_size=_CROP)
