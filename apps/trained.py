"""What a training is told, and what a run says of itself."""

import warnings

from kerascnn import data, models

_TASKS = {"classify": "classification", "segment": "segmentation", "upscale": "upscaling"}


class ChangedDataWarning(UserWarning):
    """A set of images has become larger or smaller since a model was trained on it."""


def recipe_of(run, command):
    """The recipe of a run of `kerascnn COMMAND train`.

    Raises:
        FileNotFoundError: if the folder holds no run.
        ValueError: if the run is of another kind.
    """
    recipe = run.recipe()
    name = recipe.get("model", {}).get("name")
    if "data" not in recipe or name not in models.list_models(task=_TASKS[command]):
        raise ValueError(
            f"{run.path} must be a run of `kerascnn {command} train`; its recipe is not."
        )
    return recipe


def check_seed(seed):
    """Raises an error if a number is no seed."""
    if seed < 0:
        raise ValueError(f"`seed` must not be negative; got seed={seed}.")


def splits_of(split):
    """The splits that `--split` names.

    Raises:
        ValueError: if it is no split, and not `"all"`.
    """
    known = (*data.SPLITS, "all")
    if split not in known:
        listed = ", ".join(repr(name) for name in known)
        raise ValueError(f"`split` must be one of {listed}; got split={split!r}.")
    return data.SPLITS if split == "all" else (split,)


def warn_if_changed(name, then, now):
    """Warns if the data of a training have become more or fewer since."""
    if dict(then) != dict(now):
        warnings.warn(
            f"{name} had {_counted(then)} images when the model was trained and has "
            f"{_counted(now)}: some that are tested now may have been trained on.",
            ChangedDataWarning,
            stacklevel=2,
        )


def _counted(counts):
    return ", ".join(f"{count:,} {split}" for split, count in counts.items())
