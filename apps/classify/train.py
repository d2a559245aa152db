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
    built_in,
    classify,
    fit,
    last_checkpoint,
)
from kerascnn_apps.classify import report
from kerascnn_apps.classify.recipes import recipe_for
from kerascnn_apps.finish import finish
from kerascnn_apps.trained import check_seed, recipe_of
from kerascnn_apps.training import check_out, is_finished, replacing

_EXAMPLES_ON_PAGE = 48
_EXAMPLE_FILES = 16
# How many times larger than a model's own images others may be without being resized to these.
_LARGER = 4


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
        check_seed(self.seed)


def train(task, folder, force=False, command=""):
    """Trains, tests and draws; says what it did. Returns whether there was anything to do."""
    keras.config.set_image_data_format("channels_last")  # what the pipelines give
    run = RunFolder(folder)
    # What can be told to be wrong is told before the data are read, which may take a while.
    start = Start.of(task)
    start.recipe(task, num_examples=0, channels=3)
    _check_out(task, folder)
    run.check_usable()
    if is_finished(run, force):
        return False
    source = data.find(task.data, task.data_dir, task.strict)
    source.check_labels()
    info = source.info(start.image_size(task, source), start.channels)
    recipe = start.recipe(task, source.num_examples["train"], info.image_shape[2])

    keras.utils.set_random_seed(task.seed)
    with built_in(recipe.precision):
        model = start.model(info)
    with run.locked(command):
        if is_finished(run, force):  # by another process, in the meantime
            return False
        # A run that resumes must not see the orders of its first epochs again.
        seed = task.seed + (0 if force else 1000 * last_checkpoint(run)[0])
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
        facts = _facts(task, start, model, info)
        with replacing(run, force):  # now that nothing is left that could be wrong
            history = fit(model, pipelines, recipe, run, facts, command, head=start.head(model))
        _finish(run, pipelines, info, history)
    return True


def _check_out(task, folder):
    weights = None if task.weights == "imagenet" else task.weights
    found = None if task.data in data.EMBEDDED else task.data
    check_out(folder, found, task.data_dir, weights)


def _facts(task, start, model, info):
    """What decides the outcome, beside the recipe."""
    return {
        "task": "classification",
        "model": {
            "name": start.name,
            "weights": task.weights if start.trained is None else str(Path(task.weights).resolve()),
            "parameters": answering(model).count_params(),
        },
        "data": {
            **dataclasses.asdict(info),
            "data_dir": task.data_dir and str(task.data_dir.resolve()),
        },
        "seed": task.seed,
    }


@dataclass(frozen=True)
class Start:
    """Where a training begins: at fresh weights, those of ImageNet, or those of another run.

    Args:
        name: str, of the model.
        weights: `None` or `"imagenet"`.
        trained: optional `keras.Model` of another run, whose trunk and image size are taken over.
        precision: optional str, what the model of that run computes in.
    """

    name: str
    weights: str | None = None
    trained: keras.Model | None = None
    precision: str | None = None

    @classmethod
    def of(cls, task):
        """What a task begins with."""
        if task.weights in (None, "imagenet"):
            name = task.model or ("lenet5" if task.weights is None else "mobilenet_v2")
            what = models.model_info(name).task  # knows the name, or says which are known
            if what != "classification":
                command = {"segmentation": " (`kerascnn segment train`)"}
                command |= {"upscaling": " (`kerascnn upscale train`)"}
                raise ValueError(
                    f"`model` must classify images; got model={name!r}, which is for {what}"
                    f"{command.get(what, '')}."
                )
            return cls(name, task.weights)
        run = RunFolder(task.weights)
        recipe = recipe_of(run, "classify")
        name, precision = recipe["model"]["name"], recipe["training"]["precision"]
        if task.model not in (None, name):
            raise ValueError(
                f"`model` must be that of the weights, {name!r}; got model={task.model!r}."
            )
        if task.overrides.get("precision") not in (None, precision):
            raise ValueError(
                f"`precision` must be that of the weights, {precision!r}; "
                f"got precision={task.overrides['precision']!r}."
            )
        return cls(name, trained=run.load_model(), precision=precision)

    def recipe(self, task, num_examples, channels):
        """The recipe of a task with so many training images of so many channels."""
        finetuning = self.trained is not None or self.weights is not None
        overrides = task.overrides | ({"precision": self.precision} if self.precision else {})
        return recipe_for(task.recipe, self.name, num_examples, channels, finetuning, **overrides)

    @property
    def channels(self):
        """How many channels the images must have; `None` for any number."""
        if self.trained is not None:
            return self.trained.input_shape[-1]
        return None if self.weights is None else 3

    def image_size(self, task, source):
        """The asked-for size; or the images', if the model's is near; or the model's."""
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
        default = models.model_info(self.name).input_shape[:2]
        height, width, _ = source.image_shape
        if not (height and width) or min(height, width) < min(default):
            return default
        if max(height, width) > _LARGER * max(default):
            typer.echo(
                f"images:      {width}x{height}, resized to {default[1]}x{default[0]} for the "
                "model (--image-size takes another)"
            )
            return default
        return height, width

    def model(self, info):
        """The model for these data."""
        classes = len(info.class_names)
        if self.trained is not None:
            return models.with_new_head(self.trained, classes)
        options = dict(models.model_info(self.name).training_options)
        if self.weights is not None:
            options["weights"] = self.weights
        return models.create_model(self.name, info.image_shape, classes, **options)

    def head(self, model):
        """Names of the layers whose weights are new; `None` if that is the last one alone."""
        return models.head_names(model) if self.weights is not None else None


def _finish(run, pipelines, info, history):
    """Tests the best model, draws, and writes `metrics.json`, which marks a run as finished."""
    model = run.load_model()
    split = "test" if "test" in pipelines else "validation"
    answers = classify(model, pipelines[split])
    names, labels = info.class_names, answers.labels
    worst = answers.worst_first()[:_EXAMPLES_ON_PAGE]
    first = [int(np.argmax(labels == label)) for label in np.unique(labels)[:_EXAMPLE_FILES]]
    images = _images(pipelines[split], {*worst.tolist(), *first})
    figures = {
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
    for index in first:
        _save_example(run, index, images[index], names[labels[index]])
    numbers = report.numbers(answers, names)
    finish(run, history, split, numbers, figures, report.summary(split, numbers))


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
    with run.writing(run.free_path(run.examples / f"{index:05d}_{name}.png")) as path:
        picture.save(path)
