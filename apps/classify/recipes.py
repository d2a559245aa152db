"""How classifiers are trained: the numbers, a row for each recipe, and what models change in it."""

import dataclasses
import fnmatch

from kerascnn.data import Augmentation
from kerascnn.training import Recipe

# What leaves a character the same character, and a thing the same thing. Gray images are taken for
# characters: a mirrored digit is none.
_CHARACTERS = Augmentation(shift=0.07, rotate=8.0, zoom=0.1)
_THINGS = Augmentation(flip=True, crop=0.125)

RECIPES = {
    # Some good answer within minutes on two cores.
    "quick": Recipe(
        epochs=8,
        optimizer="sgd",
        learning_rate=0.2,
        warmup_epochs=1.5,
        weight_decay=2.5e-3,
        augmentation=_THINGS,
    ),
    # As good as a network gets without knowing its paper.
    "standard": Recipe(
        epochs=30, learning_rate=2e-3, weight_decay=0.1, ema=0.995, augmentation=_THINGS
    ),
    # He et al., 2016, section 4.2 (64,000 steps at batch 128 are 164 epochs of 50,000 images; the
    # L2 factor of 1e-4 is a decoupled decay of 1e-3 under a momentum of 0.9).
    "paper": Recipe(
        epochs=164,
        optimizer="sgd",
        learning_rate=0.1,
        schedule="steps",
        weight_decay=1e-3,
        augmentation=_THINGS,
    ),
    # Few images: many passes in small steps.
    "small": Recipe(
        epochs=60, batch_size=32, learning_rate=2e-3, weight_decay=0.1, augmentation=_THINGS
    ),
    # From the weights of another training: first the new head alone, then all.
    "finetune": Recipe(
        epochs=12,
        batch_size=32,
        learning_rate=2e-4,
        frozen_epochs=4,
        frozen_learning_rate=2e-3,
        weight_decay=0.05,
        label_smoothing=0.1,
        augmentation=Augmentation(flip=True, crop=0.1, zoom=0.1),
    ),
}

# Networks without batch normalization do not bear the learning rates of those with it.
_DEEP_PLAIN = ("alexnet*", "zfnet", "vgg*")
_PLAIN = ("mlp", "lenet*", *_DEEP_PLAIN)
_CHANGES = {
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
}

# Sets with fewer training images than this take many passes in small steps.
SMALL = 5_000


def recipe_for(
    name, model, num_examples, channels, finetuning=False, augmentation=None, **overrides
):
    """The recipe for a model and its images.

    Args:
        name: str, one of `RECIPES`, or `None` for what the number of images asks for.
        model: str, the name of the model.
        num_examples: int, the number of training images.
        channels: int, 1 for gray images.
        finetuning: bool, whether the model begins with weights of another training.
        **overrides: fields of `Recipe` to take instead; `None` changes nothing. `augmentation` is a
            dict of fields of `Augmentation`, which the others are left beside.

    Raises:
        ValueError: for an unknown name, or a number out of its range.
    """
    if name is None:
        name = "finetune" if finetuning else "small" if num_examples < SMALL else "standard"
    if name not in RECIPES:
        known = ", ".join(repr(known) for known in RECIPES)
        raise ValueError(f"`recipe` must be one of {known}; got recipe={name!r}.")
    changes = {}
    for patterns, change in _CHANGES.get(name, ()):
        if any(fnmatch.fnmatch(model, pattern) for pattern in patterns):
            changes |= change
    if channels == 1:
        changes["augmentation"] = _CHARACTERS
    changes |= {key: value for key, value in overrides.items() if value is not None}
    recipe = RECIPES[name]
    if augmentation:
        known = changes.get("augmentation", recipe.augmentation)
        fields = [field.name for field in dataclasses.fields(known)]
        for field in set(augmentation) - set(fields):
            listed = ", ".join(repr(name) for name in fields)
            raise ValueError(f"`augment` must be one of {listed}; got augment={field!r}.")
        changes["augmentation"] = dataclasses.replace(known, **augmentation)
    if "epochs" in changes:  # the head alone keeps its share
        epochs = changes["epochs"]
        changes["frozen_epochs"] = recipe.frozen_epochs * epochs // recipe.epochs
    return dataclasses.replace(recipe, **changes)
