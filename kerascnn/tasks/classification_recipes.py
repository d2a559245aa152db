"""Recipes for classification, and their changes for some models."""

from dataclasses import dataclass

from kerascnn.arguments import UsageError
from kerascnn.data import Augmentation
from kerascnn.tasks.recipes import Recipes
from kerascnn.training import Recipe


@dataclass(frozen=True)
class ClassificationRecipe(Recipe):
    """A recipe with additional fields for classification.

    Args:
        class_weights: bool, whether classes with few images get a larger weight in the loss, so
            that all classes contribute equally.
        balance: bool, whether images of rare classes are repeated, so that all classes are equally
            frequent.

    Raises:
        ValueError: if both are true.
    """

    class_weights: bool = False
    balance: bool = False

    def __post_init__(self):
        super().__post_init__()
        if self.class_weights and self.balance:
            raise UsageError(
                "`class_weights` and `balance` have the same purpose; got both. Leave out "
                "`--class-weights`."
            )


# Augmentation that keeps the class of an image. Gray images are assumed to be characters, which a
# horizontal flip would change.
CHARACTERS = Augmentation(shift=0.07, rotate=8.0, zoom=0.1)
_THINGS = Augmentation(flip=True, crop=0.125)
# Self-organizing models use only the number of epochs of a recipe.
_ONE_PASS = {"epochs": 1, "batch_size": 128, "augmentation": Augmentation()}
_SHIFTED = Augmentation(shift=0.125)

# Models without batch normalization need lower learning rates.
_DEEP_PLAIN = ("alexnet*", "zfnet", "vgg*")
_PLAIN = ("mlp", "lenet*", *_DEEP_PLAIN)

RECIPES = Recipes(
    {
        # A useful result within minutes on two cores.
        "quick": ClassificationRecipe(
            epochs=8,
            optimizer="sgd",
            learning_rate=0.2,
            warmup_epochs=1.5,
            weight_decay=2.5e-3,
            augmentation=_THINGS,
        ),
        # A good result for any model, without tuning.
        "standard": ClassificationRecipe(
            epochs=30, learning_rate=2e-3, weight_decay=0.1, ema=0.995, augmentation=_THINGS
        ),
        # He et al., 2016, section 4.2 (64,000 steps at batch 128 are 164 epochs of 50,000 images;
        # the L2 factor of 1e-4 is a decoupled decay of 1e-3 under a momentum of 0.9).
        "paper": ClassificationRecipe(
            epochs=164,
            optimizer="sgd",
            learning_rate=0.1,
            schedule="steps",
            weight_decay=1e-3,
            augmentation=_THINGS,
        ),
        # Few images: many epochs with small batches.
        "small": ClassificationRecipe(
            epochs=60, batch_size=32, learning_rate=2e-3, weight_decay=0.1, augmentation=_THINGS
        ),
        # From pretrained weights: first only the new head, then all layers.
        "finetune": ClassificationRecipe(
            epochs=12,
            batch_size=32,
            learning_rate=2e-4,
            frozen_epochs=4,
            frozen_learning_rate=2e-3,
            weight_decay=0.05,
            label_smoothing=0.1,
            augmentation=Augmentation(flip=True, crop=0.1, zoom=0.1),
        ),
    },
    changes={
        # Fukushima, 2013: one pass without augmentation. 1980: patterns at random positions.
        "*": [
            (("neocognitron",), _ONE_PASS),
            (("neocognitron_1980",), {**_ONE_PASS, "augmentation": _SHIFTED}),
        ],
        "standard": [
            # So few parameters do not overfit to shifted and rotated digits.
            (("lenet5",), {"epochs": 60}),
            (_DEEP_PLAIN, {"learning_rate": 3e-4}),
        ],
        "small": [(_DEEP_PLAIN, {"learning_rate": 3e-4})],
        "quick": [(_PLAIN, {"learning_rate": 0.02})],
        "paper": [
            (_PLAIN, {"learning_rate": 0.01}),
            # He et al., 2016, section 4.2: too deep to start with 0.1.
            (("resnet110",), {"warmup_epochs": 1.0}),
            # Xie et al., 2017, section 5.3; Huang et al., 2017, section 4.2
            (("resnext29*",), {"epochs": 300, "weight_decay": 5e-3}),
            (("densenet*",), {"epochs": 300, "batch_size": 64}),
        ],
    },
)

# Datasets with fewer training images than this are trained for many epochs with small batches.
SMALL = 5_000
