"""`recipe.json`, typed: all that decides the outcome of a run."""

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from kerascnn.arguments import UsageError
from kerascnn.tasks import get_task, list_tasks
from kerascnn.training import RunFolder


@dataclass(frozen=True)
class ModelRecord:
    """The model of a run.

    Args:
        name: str, as `kerascnn.models.create_model` knows it.
        parameters: int, how many it has, without auxiliary heads.
        options: arguments of its builder.
        weights: `None`, `"imagenet"`, or the path of the run whose weights it started with.
    """

    name: str
    parameters: int
    options: dict[str, Any] = field(default_factory=dict)
    weights: str | None = None


@dataclass(frozen=True)
class DataRecord:
    """The data of a run.

    Args:
        name: str, the name of the dataset or the path of the folder.
        num_examples: `{split: number of images}`.
        data_dir: optional str, the folder of TensorFlow Datasets.
        version: optional str, that of the dataset.
        class_names: names of the classes, in the order of the labels.
        ignored: names of the classes that are not scored.
        image_shape: `(height, width, channels)` of the images as the model gets them, or as they
            are stored if it takes any size; `None` where they differ.
        smallest: int, how many pixels high and wide an image must be to be used.
        value_ranges: `{type: (low, high)}`, the values of images of more than eight bits that
            become 0 and 255, as in `kerascnn.data.read_image`.
        mask_values: optional str, the numbers in masks that mean the classes.
        mask_colors: optional str, the colors in masks that mean the classes.
        reading: dict, what was taken for what in a folder, for people to read.
    """

    name: str
    num_examples: dict[str, int]
    data_dir: str | None = None
    version: str | None = None
    class_names: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    image_shape: tuple[int | None, int | None, int] | None = None
    smallest: int = 1
    value_ranges: dict[str, tuple[float, float]] = field(default_factory=dict)
    mask_values: str | None = None
    mask_colors: str | None = None
    reading: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RunRecord:
    """What decides the outcome of a run.

    Args:
        task: str, as `kerascnn.tasks.get_task` knows it.
        model: `ModelRecord`.
        data: `DataRecord`.
        training: the recipe, an instance of the task's `recipe_class`.
        seed: int.
        command: str, how the run was started.
    """

    task: str
    model: ModelRecord
    data: DataRecord
    training: Any
    seed: int
    command: str = ""

    @classmethod
    def of(cls, run, task=None):
        """Reads the record of a run.

        Args:
            run: `kerascnn.training.RunFolder`.
            task: optional str, the name of the task that it must be of.

        Raises:
            FileNotFoundError: if there is no run.
            ValueError: if the record is broken, or that of another task.
        """
        content = run.recipe()
        found = content.get("task")
        if found not in list_tasks() or task not in (None, found):
            wanted = "train" if task is None else f"{get_task(task).command} train"
            what = f" ({found})" if isinstance(found, str) else ""
            raise UsageError(
                f"{run.path} must be a run of `kerascnn {wanted}`; it is another one{what}."
            )
        recipe_class = get_task(found).recipe_class
        try:
            record = TypeAdapter(cls).validate_python(content)
            recipe = TypeAdapter(recipe_class).validate_python(content["training"])
        except ValidationError as error:
            wrong = error.errors()[0]
            place = ".".join(map(str, wrong["loc"])) or "training"
            raise UsageError(
                f"{run.recipe_path} must be the record of a run; {place}: {wrong['msg']}."
            ) from error
        return replace(record, training=recipe)

    def facts(self):
        """Returns what `kerascnn.training.fit` records next to the recipe."""
        content = asdict(self)
        return {key: content[key] for key in ("task", "model", "data", "seed")}


def open_run(folder, task=None):
    """Returns the `RunFolder` of a run and its record."""
    run = RunFolder(Path(folder))
    return run, RunRecord.of(run, task)
