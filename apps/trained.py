"""What a trained run says of itself."""

from kerascnn import models

_TASKS = {"classify": "classification", "segment": "segmentation", "upscale": "upscaling"}


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
