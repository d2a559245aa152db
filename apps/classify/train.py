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
    answering,
    best_epoch,
    built_in,
    classify,
    fit,
    last_checkpoint,
    written_whole,
)
from kerascnn_apps.classify import report
from kerascnn_apps.classify.recipes import recipe_for
from kerascnn_apps.trained import recipe_of

_EXAMPLES_ON_PAGE = 48
_EXAMPLE_FILES = 16


@dataclass(frozen=True)
class Task:
    """What to train on what; `None` leaves the choice to the data and the model."""

    data: str
    data_dir: Path | None = None
    model: str | None = None
    weights: str | None = None
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
    start = Start.of(task)
    start.recipe(task, num_examples=0, channels=3)
    run.check_usable()
    if run.state == "finished" and not force:
        typer.echo(f"{folder} holds a finished run; --force clears it and trains anew.")
        return False
    source = data.find(task.data, task.data_dir, task.strict)
    info = source.info(start.image_size(task, source), start.channels)
    recipe = start.recipe(task, source.num_examples["train"], info.image_shape[2])

    keras.utils.set_random_seed(task.seed)
    with built_in(recipe.precision):
        model = start.model(info)
    if force:  # now that nothing is left that could be wrong
        run.clear()
    # A run that goes on must not see the orders of its first epochs again.
    seed = task.seed + 1000 * last_checkpoint(run)[0]
    pipelines = {
        split: source.pipeline(
            split,
            info.image_shape[:2],
            info.image_shape[2],
            batch_size=recipe.batch_size,
            seed=seed,
            augment=recipe.augmentation,
        )
        for split in data.SPLITS
        if info.num_examples[split]
    }
    facts = {
        "model": {
            "name": start.name,
            "weights": task.weights,
            "parameters": answering(model).count_params(),
        },
        "data": {
            **dataclasses.asdict(info),
            "data_dir": task.data_dir and str(task.data_dir.resolve()),
        },
        "seed": task.seed,
    }
    history = fit(model, pipelines, recipe, run.path, facts, command)
    _finish(run, pipelines, info, history)
    return True


@dataclass(frozen=True)
class Start:
    """Where a training begins: at fresh weights, those of ImageNet, or those of another run.

    Args:
        name: str, of the model.
        weights: `None` or `"imagenet"`.
        trained: optional `keras.Model` of another run, whose trunk and image size are taken over.
    """

    name: str
    weights: str | None = None
    trained: keras.Model | None = None

    @classmethod
    def of(cls, task):
        """What a task begins with."""
        if task.weights in (None, "imagenet"):
            name = task.model or ("lenet5" if task.weights is None else "mobilenet_v2")
            what = models.task_of(name)  # knows the name, or says which are known
            if what != "classification":
                command = {"segmentation": " (`kerascnn segment train`)"}
                command |= {"upscaling": " (`kerascnn upscale train`)"}
                raise ValueError(
                    f"`model` must classify images; got model={name!r}, which is for {what}"
                    f"{command.get(what, '')}."
                )
            return cls(name, task.weights)
        run = RunFolder(task.weights)
        name = recipe_of(run, "classify")["model"]["name"]
        if task.model not in (None, name):
            raise ValueError(
                f"`model` must be that of the weights, {name!r}; got model={task.model!r}."
            )
        return cls(name, trained=run.load_model())

    def recipe(self, task, num_examples, channels):
        """The recipe of a task with so many training images of so many channels."""
        finetuning = self.trained is not None or self.weights is not None
        return recipe_for(
            task.recipe, self.name, num_examples, channels, finetuning, **task.overrides
        )

    @property
    def channels(self):
        """How many channels the images must have; `None` for any number."""
        if self.trained is not None:
            return self.trained.input_shape[-1]
        return None if self.weights is None else 3

    def image_size(self, task, source):
        """The asked-for size; or the images', if they are no smaller than the model's; or its."""
        if self.trained is not None and None not in self.trained.input_shape[1:3]:
            size = self.trained.input_shape[1:3]
            if task.image_size not in (None, size[0]):
                raise ValueError(
                    f"`image_size` must be that of the weights, {size[0]}; "
                    f"got image_size={task.image_size}."
                )
            return size
        if task.image_size is not None:
            return task.image_size
        default = models.default_input_shape(self.name)[:2]
        height, width, _ = source.image_shape
        if height and width and min(height, width) >= min(default):
            return height, width
        return default

    def model(self, info):
        """The model for these data."""
        classes = len(info.class_names)
        if self.trained is not None:
            return models.with_new_head(self.trained, classes)
        options = models.training_options(self.name)
        if self.weights is not None:
            options["weights"] = self.weights
        return models.create_model(self.name, info.image_shape, classes, **options)


def _finish(run, pipelines, info, history):
    """Tests the best model, draws, and writes `metrics.json`, which marks a run as finished."""
    model = run.load_model()
    split = "test" if "test" in pipelines else "validation"
    answers = classify(model, pipelines[split])
    metrics = {
        split: report.numbers(answers, info.class_names),
        "best_epoch": best_epoch(history)["epoch"],
        "training_seconds": round(sum(row["seconds"] for row in history), 1),
    }
    names, labels = info.class_names, answers.labels
    worst = answers.worst_first()[:_EXAMPLES_ON_PAGE]
    first = [int(np.argmax(labels == label)) for label in np.unique(labels)[:_EXAMPLE_FILES]]
    images = _images(pipelines[split], {*worst.tolist(), *first})
    figures = {
        "learning_curves": visualize.learning_curves(history, metrics["best_epoch"]),
        **report.figures(answers, names),
        "examples": visualize.examples(
            [images[index] for index in worst],
            labels[worst],
            answers.predicted[worst],
            answers.confidences[worst],
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
