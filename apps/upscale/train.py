"""From pictures to a finished run folder."""

from dataclasses import asdict, dataclass, field
from pathlib import Path

import keras
from PIL import Image

from kerascnn import data, models
from kerascnn.training import (
    RunFolder,
    built_in,
    factor_of,
    fit,
    last_checkpoint,
    psnr,
)
from kerascnn_apps.finish import finish
from kerascnn_apps.trained import check_seed
from kerascnn_apps.training import check_out, is_finished, replacing
from kerascnn_apps.upscale import report
from kerascnn_apps.upscale.recipes import recipe_for

_EXAMPLE_FILES = 4
_LOSSES = {
    "mean_squared_error": keras.losses.MeanSquaredError,
    "mean_absolute_error": keras.losses.MeanAbsoluteError,
}


@dataclass(frozen=True)
class Task:
    """What to train on what."""

    data: str
    model: str
    recipe: str
    overrides: dict = field(default_factory=dict)
    seed: int = 0
    strict: bool = False

    def __post_init__(self):
        check_seed(self.seed)


def train(task, folder, force=False, command=""):
    """Trains, tests and draws; says what it did. Returns whether there was anything to do."""
    keras.config.set_image_data_format("channels_last")  # what the pipelines give
    run = RunFolder(folder)
    # What can be told to be wrong is told before the data are read, which may take a while.
    _check_model(task.model)
    recipe = recipe_for(task.recipe, task.model, **task.overrides)
    check_out(folder, None if task.data in data.EMBEDDED_PHOTOS else task.data)
    run.check_usable()
    if is_finished(run, force):
        return False
    keras.utils.set_random_seed(task.seed)
    with built_in(recipe.training.precision):
        model = models.create_model(task.model)
    factor, channels = factor_of(model), model.input_shape[-1]
    smallest = max(recipe.patch_size * factor, smallest_to_measure(factor))
    photos = data.find_photos(task.data, task.strict, smallest)
    if not photos.pictures["validation"]:
        raise ValueError(
            f"{photos.name} must hold at least two pictures of at least {smallest}x{smallest} "
            "pixels, so that one can be kept for validation; "
            f"got {len(photos.pictures['train'])}."
        )
    with run.locked(command):
        if is_finished(run, force):  # by another process, in the meantime
            return False
        # A run that resumes must not see the parts of its first epochs again.
        seed = task.seed + (0 if force else 1000 * last_checkpoint(run)[0])
        pipelines = {
            "train": data.patches(
                photos,
                factor,
                channels,
                recipe.patch_size,
                recipe.patches,
                recipe.training.batch_size,
                seed,
            ),
            "validation": data.whole_pictures(photos, "validation", factor, channels),
        }
        loss = _LOSSES[recipe.loss]()
        facts = _facts(task, model, photos, recipe, smallest)
        with replacing(run, force):  # now that nothing is left that could be wrong
            history = fit(
                model, pipelines, recipe.training, run, facts, command, loss=loss, metric=psnr
            )
        _finish(run, photos, history)
    return True


def _facts(task, model, photos, recipe, smallest):
    """What decides the outcome, beside the recipe."""
    return {
        "task": "upscaling",
        "model": {"name": task.model, "parameters": model.count_params()},
        "data": {
            "name": photos.name,
            "num_pictures": {split: len(found) for split, found in photos.pictures.items()},
            "smallest": smallest,
        },
        "upscaling": {
            "factor": factor_of(model),
            **{key: value for key, value in asdict(recipe).items() if key != "training"},
        },
        "seed": task.seed,
    }


def smallest_to_measure(factor):
    """How high and wide a picture must be for its structural similarity: a window, and borders."""
    return 11 + 3 * factor


def _check_model(name):
    task = models.model_info(name).task  # knows the name, or says which are known
    if task != "upscaling":
        known = ", ".join(models.list_models(task="upscaling"))
        raise ValueError(
            f"`model` must upscale images ({known}); got model={name!r}, which is for {task}."
        )


def _finish(run, photos, history):
    """Tests the best model, draws, and writes `metrics.json`, which marks a run as finished."""
    model = run.load_model()
    split = "test" if photos.pictures["test"] else "validation"
    tested = photos.pictures[split]
    numbers = report.numbers(model, tested)
    title = f"{run.path.name}: {split} pictures, least gain first"
    figures = {"comparison": report.comparison(model, tested, numbers, title)}
    for photo in tested[:_EXAMPLE_FILES]:
        _save_example(run, photo, factor_of(model))
    finish(run, history, split, numbers, figures, report.summary(split, numbers))


def _save_example(run, photo, factor):
    """Leaves a test picture in low resolution as a file to try `predict` on."""
    low, _ = data.reduced(photo.read(), factor)
    path = run.free_path(run.examples / f"{Path(photo.name).stem}.png")
    with run.writing(path) as path:
        Image.fromarray(low).save(path)
