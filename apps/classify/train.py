"""From the name of a data set to a finished run folder."""

import dataclasses
import re
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np
import typer
from PIL import Image

from kerascnn import data, models, visualize
from kerascnn.training import (
    RunFolder,
    best_epoch,
    classify,
    fit,
    last_checkpoint,
    written_whole,
)
from kerascnn_apps.classify.recipes import RECIPES, recipe_for

_EXAMPLES_ON_PAGE = 48
_EXAMPLE_FILES = 16


@dataclass(frozen=True)
class Task:
    """What to train on what; `None` leaves the choice to the data and the model."""

    data: str
    data_dir: Path | None = None
    model: str = "lenet5"
    recipe: str | None = None
    overrides: dict = field(default_factory=dict)
    image_size: int | None = None
    seed: int = 0
    strict: bool = False

    def __post_init__(self):
        if self.seed < 0:
            raise ValueError(f"`seed` must not be negative; got seed={self.seed}.")


def train(task, folder, force=False, command=""):
    """Trains, tests and draws; says what it did. Returns whether there was anything to do."""
    keras.config.set_image_data_format("channels_last")  # what the pipelines give
    run = RunFolder(folder)
    # What can be told to be wrong is told before the data are read, which may take a while.
    default_shape = models.default_input_shape(task.model)
    _recipe(task, num_examples=0)
    run.check_usable()
    if run.state == "finished" and not force:
        typer.echo(f"{folder} holds a finished run; --force clears it and trains anew.")
        return False
    source = data.find(task.data, task.data_dir, task.strict)
    recipe = _recipe(task, source.num_examples["train"])
    info = source.info(_image_size(task, source, default_shape))

    keras.utils.set_random_seed(task.seed)
    model = models.create_model(task.model, info.image_shape, len(info.class_names))
    if force:  # now that nothing is left that could be wrong
        run.clear()
    # A run that goes on must not see the orders of its first epochs again.
    seed = task.seed + 1000 * last_checkpoint(run)[0]
    pipelines = {
        split: source.pipeline(
            split,
            info.image_shape[:2],
            batch_size=recipe.batch_size,
            seed=seed,
            augment=recipe.augmentation(seed),
        )
        for split in data.SPLITS
        if info.num_examples[split]
    }
    facts = {
        "model": {"name": task.model, "parameters": model.count_params()},
        "data": {
            **dataclasses.asdict(info),
            "data_dir": task.data_dir and str(task.data_dir.resolve()),
        },
        "seed": task.seed,
    }
    history = fit(model, pipelines, recipe, run.path, facts, command)
    _finish(run, pipelines, info, history)
    return True


def _recipe(task, num_examples):
    name = task.recipe or recipe_for(num_examples)
    if name not in RECIPES:
        known = ", ".join(repr(known) for known in RECIPES)
        raise ValueError(f"`recipe` must be one of {known}; got recipe={name!r}.")
    given = {key: value for key, value in task.overrides.items() if value is not None}
    return dataclasses.replace(RECIPES[name], **given)


def _image_size(task, source, default_shape):
    """The asked-for size, or that of the images if they are no smaller than the model's, or its."""
    if task.image_size is not None:
        return task.image_size
    height, width, _ = source.image_shape
    if height and width and min(height, width) >= min(default_shape[:2]):
        return height, width
    return default_shape[:2]


def _finish(run, pipelines, info, history):
    """Tests the best model, draws, and writes `metrics.json`, which marks a run as finished."""
    model = run.load_model()
    split = "test" if "test" in pipelines else "validation"
    answers = classify(model, pipelines[split])
    metrics = {
        split: answers.metrics(),
        "best_epoch": best_epoch(history)["epoch"],
        "training_seconds": round(sum(row["seconds"] for row in history), 1),
    }
    names, labels = info.class_names, answers.labels
    worst = answers.worst_first()[:_EXAMPLES_ON_PAGE]
    first = [int(np.argmax(labels == label)) for label in np.unique(labels)[:_EXAMPLE_FILES]]
    images = _images(pipelines[split], {*worst.tolist(), *first})
    figures = {
        "learning_curves": visualize.learning_curves(history, metrics["best_epoch"]),
        "confusion_matrix": visualize.confusion_matrix(answers.confusion_matrix(), names),
        "examples": visualize.examples(
            [images[index] for index in worst],
            labels[worst],
            answers.predicted[worst],
            answers.probabilities.max(axis=-1)[worst],
            names,
            title=f"{run.path.name}: {split} images, worst mistakes first",
        ),
    }
    plots = [run.save_figure(name, figure) for name, figure in figures.items()]
    for index in first:
        _save_example(run, index, images[index], names[labels[index]])
    run.write_json(run.metrics_path, metrics)

    scores = metrics[split]
    typer.echo(
        f"{split} accuracy {scores['accuracy']:.2%} ({scores['num_examples']:,} images), "
        f"trained in {metrics['training_seconds']:.0f} s"
    )
    typer.echo(f"model:       {run.model_path}")
    for plot in plots:
        typer.echo(f"plot:        {plot}")


def _images(pipeline, wanted):
    """Images of a pipeline by their place in it: `{index: image}`."""
    found, offset = {}, 0
    for images, _ in pipeline:
        found |= {i: images[i - offset].numpy() for i in wanted if 0 <= i - offset < len(images)}
        offset += len(images)
    return found


def _save_example(run, index, image, class_name):
    """Leaves a test image as a file to try `predict` on."""
    pixels = np.round(image * 255).astype(np.uint8)
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    name = re.sub(r"[^\w-]+", "_", class_name)
    with written_whole(run.examples / f"{index:05d}_{name}.png") as path:
        picture.save(path)
