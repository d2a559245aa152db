"""How upscaling models are trained: the numbers, a row for each recipe, and what models change."""

import dataclasses
import fnmatch

from kerascnn.training import Recipe


@dataclasses.dataclass(frozen=True)
class UpscalingRecipe:
    """Numbers that together train an upscaling model well.

    Args:
        training: `Recipe`.
        loss: `"mean_squared_error"` or `"mean_absolute_error"`.
        patch_size: int, the side of the training pictures' parts in low resolution.
        patches: int, how many of them are an epoch.
    """

    training: Recipe
    loss: str = "mean_squared_error"
    patch_size: int = 17
    patches: int = 16_000


# Shi et al., 2016, section 3.2: mean squared error, parts of 17x17; Adam in place of gradient
# descent. Chosen by the validation part of `photos`.
RECIPES = {
    # Some good answer within a minute on two cores.
    "quick": UpscalingRecipe(Recipe(epochs=3, batch_size=16, learning_rate=1e-3, weight_decay=0.0)),
    # As good as a small network gets on one photograph, within five minutes.
    "standard": UpscalingRecipe(
        Recipe(epochs=12, batch_size=16, learning_rate=1e-3, weight_decay=0.0)
    ),
}

# Lim et al., 2017, section 4.2: mean absolute error, parts of 48x48, Adam from 1e-4
_CHANGES = [
    (
        ("edsr*",),
        {"loss": "mean_absolute_error", "patch_size": 48},
        {"learning_rate": 1e-4},
    )
]


def recipe_for(name, model, patch_size=None, **overrides):
    """The recipe for a model.

    Args:
        name: str, one of `RECIPES`.
        model: str, the name of the model.
        patch_size: int to take instead, or `None`.
        **overrides: fields of `Recipe` to take instead; `None` changes nothing.

    Raises:
        ValueError: for an unknown name, or a number out of its range.
    """
    if name not in RECIPES:
        known = ", ".join(repr(known) for known in RECIPES)
        raise ValueError(f"`recipe` must be one of {known}; got recipe={name!r}.")
    recipe, training = RECIPES[name], {}
    for patterns, change, change_of_training in _CHANGES:
        if any(fnmatch.fnmatch(model, pattern) for pattern in patterns):
            recipe = dataclasses.replace(recipe, **change)
            training |= change_of_training
    if patch_size is not None:
        if patch_size < 1:
            raise ValueError(f"`patch_size` must be at least 1; got patch_size={patch_size}.")
        recipe = dataclasses.replace(recipe, patch_size=patch_size)
    training |= {key: value for key, value in overrides.items() if value is not None}
    return dataclasses.replace(recipe, training=dataclasses.replace(recipe.training, **training))
