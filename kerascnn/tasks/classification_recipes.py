"""How classifiers are trained: a row for each recipe, and what models change in it."""

from dataclasses import dataclass

from kerascnn.arguments import UsageError
from kerascnn.data import Augmentation
from kerascnn.tasks.recipes import Recipes
from kerascnn.training import Recipe


@dataclass(frozen=True)
class ClassificationRecipe(Recipe):
    """A recipe with what classification needs beyond other tasks.

    Args:
        class_weights: bool, whether classes with few images weigh more in the loss, so that each
            class has the same part in it.
        balance: bool, whether images of classes with few images are shown more often, so that each
            class is shown equally often.

    Raises:
        ValueError: if both are true.
    """

    class_weights: bool = False
    balance: bool = False

    def __post_init__(self):
        super().__post_init__()
        if self.class_weights and self.balance:
            raise UsageError(
                "`class_weights` and `balance` do the same in two ways; got both. Leave out "
                "`--class-weights`."
            )


# What leaves a character the same character, and a thing the same thing. Gray images are taken for
# characters: a mirrored digit is none.
CHARACTERS = Augmentation(shift=0.07, rotate=8.0, zoom=0.1)
_THINGS = Augmentation(flip=True, crop=0.125)
# Models that learn by themselves heed no other number of a recipe than the passes.
_ONE_PASS = {"epochs": 1, "batch_size": 128, "augmentation": Augmentation()}
_SHIFTED = Augmentation(shift=0.125)

# Networks without batch normalization do not bear the learning rates of those with it.
_DEEP_PLAIN = ("alexnet*", "zfnet", "vgg*")
_PLAIN = ("mlp", "lenet*", *_DEEP_PLAIN)

RECIPES = Recipes(
    {
        # A usable result within minutes on two cores.
        "quick": ClassificationRecipe(
            epochs=8,
            optimizer="sgd",
            learning_rate=0.2,
            warmup_epochs=1.5,
            weight_decay=2.5e-3,
            augmentation=_THINGS,
        ),
        # As good as a network gets without knowing its paper.
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
        # Few images: many passes in small steps.
        "small": ClassificationRecipe(
            epochs=60, batch_size=32, learning_rate=2e-3, weight_decay=0.1, augmentation=_THINGS
        ),
        # From the weights of another training: first the new head alone, then all.
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
        # Fukushima, 2013: one pass, nothing but the images. 1980: the patterns at random places.
        "*": [
            (("neocognitron",), _ONE_PASS),
            (("neocognitron_1980",), {**_ONE_PASS, "augmentation": _SHIFTED}),
        ],
        "standard": [
            # So few parameters cannot learn the shifted and turned digits by heart in any time.
            (("lenet5",), {"epochs": 60}),
            (_DEEP_PLAIN, {"learning_rate": 3e-4}),
        ],
        "small": [(_DEEP_PLAIN, {"learning_rate": 3e-4})],
        "quick": [(_PLAIN, {"learning_rate": 0.02})],
        "paper": [
            (_PLAIN, {"learning_rate": 0.01}),
            # He et al., 2016, section 4.2: too deep to begin with 0.1.
            (("resnet110",), {"warmup_epochs": 1.0}),
            # Xie et al., 2017, section 5.3; Huang et al., 2017, section 4.2
            (("resnext29*",), {"epochs": 300, "weight_decay": 5e-3}),
            (("densenet*",), {"epochs": 300, "batch_size": 64}),
        ],
    },
)

# Datasets with fewer training images than this take many passes in small steps.
SMALL = 5_000
