"""From the name of a set of images with masks to a finished run folder."""

import dataclasses
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import keras
from PIL import Image

from kerascnn import data, models
from kerascnn.training import (
    MeanIoU,
    RunFolder,
    built_in,
    dense_loss,
    fit,
    last_checkpoint,
    median_frequency_weights,
)
from kerascnn_apps.finish import finish
from kerascnn_apps.segment import report
from kerascnn_apps.segment.recipes import MODEL, OPTIONS, cropped, recipe_for
from kerascnn_apps.trained import check_seed
from kerascnn_apps.training import check_out, is_finished, replacing

_EXAMPLE_FILES = 6


@dataclass(frozen=True)
class Task:
    """What to train on what; `None` leaves the choice to the data."""

    data: str
    data_dir: Path | None = None
    ignore: tuple[str, ...] | None = None
    model: str | None = None
    options: dict = field(default_factory=dict)
    recipe: str | None = None
    overrides: dict = field(default_factory=dict)
    seed: int = 0
    strict: bool = False

    def __post_init__(self):
        check_seed(self.seed)
        if self.model is not None and models.model_info(self.model).task != "segmentation":
            known = ", ".join(repr(name) for name in models.list_models(task="segmentation"))
            raise ValueError(f"`model` must be one of {known}; got model={self.model!r}.")

        for option in ("input_shape", "num_classes", "name"):
            if option in self.options:
                raise ValueError(f"`{option}` follows from the data; got {self.options[option]!r}.")

    @property
    def model_name(self):
        """The name of the model."""
        return self.model or MODEL

    def build(self, channels, classes):
        """The model, and what `recipe.json` tells of it."""
        options = self.options if self.model else {**OPTIONS, **self.options}
        model = models.create_model(self.model_name, (None, None, channels), classes, **options)
        facts = {"name": self.model_name, "options": options, "parameters": model.count_params()}
        return model, facts


def train(task, folder, force=False, command=""):
    """Trains, tests and draws; says what it did. Returns whether there was anything to do."""
    keras.config.set_image_data_format("channels_last")  # what the pipelines give
    run = RunFolder(folder)
    # What can be told to be wrong is told before the data are read, which may take a while.
    recipe = recipe_for(task.recipe, task.data, **task.overrides)
    dense_loss(recipe.loss)
    task.build(channels=3, classes=2)
    check_out(folder, None if task.data in data.EMBEDDED_WITH_MASKS else task.data, task.data_dir)
    run.check_usable()
    if is_finished(run, force):
        return False
    source = data.find_masks(task.data, task.data_dir, task.ignore, task.strict)
    recipe = cropped(recipe, source.image_shape[:2])

    keras.utils.set_random_seed(task.seed)
    with built_in(recipe.training.precision):
        model, facts = task.build(source.channels, len(source.counted))
    weights = None
    if recipe.class_weights:
        weights = median_frequency_weights(*source.pixel_counts("train")).tolist()
    loss = dense_loss(recipe.loss, weights, recipe.training.label_smoothing)
    with run.locked(command):
        if is_finished(run, force):  # by another process, in the meantime
            return False
        # A run that resumes must not see the orders of its first epochs again.
        seed = task.seed + (0 if force else 1000 * last_checkpoint(run)[0])
        pipelines = {
            split: source.pipeline(
                split,
                recipe.factor,
                recipe.crop_size,
                batch_size=recipe.training.batch_size,
                seed=seed,
                augment=recipe.training.augmentation,
            )
            for split in ("train", "validation")
        }
        metric = MeanIoU(len(source.counted))
        facts = _facts(task, facts, source, recipe)
        with replacing(run, force):  # now that nothing is left that could be wrong
            history = fit(
                model, pipelines, recipe.training, run, facts, command, loss=loss, metric=metric
            )
        _finish(run, source, recipe.factor, history)
    return True


def _facts(task, model, source, recipe):
    """What decides the outcome, beside the recipe."""
    return {
        "task": "segmentation",
        "model": model,
        "data": {
            "name": source.name,
            "data_dir": task.data_dir and str(task.data_dir.resolve()),
            "class_names": list(source.class_names),
            "ignored": list(source.ignored),
            "image_shape": list(source.image_shape),
            "num_examples": dict(source.num_examples),
            "version": source.version,
        },
        "segmentation": {
            key: value for key, value in dataclasses.asdict(recipe).items() if key != "training"
        },
        "seed": task.seed,
    }


def _finish(run, source, factor, history):
    """Tests the best model, draws, and writes `metrics.json`, which marks a run as finished."""
    model = run.load_model()
    split = "test" if source.num_examples["test"] else "validation"
    tested = report.tested(model, source, [split], factor)
    numbers = tested.numbers()
    for name, image, _ in islice(source.examples(split), _EXAMPLE_FILES):
        path = run.free_path(run.examples / Path(name).with_suffix(".png"))
        with run.writing(path) as path:
            Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(path)
    figures = tested.figures(f"{run.path.name}: {split} images, the worst first")
    finish(run, history, split, numbers, figures, report.summary(split, numbers))
