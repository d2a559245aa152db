"""`recipe.json`, typed: all that decides the outcome of a run."""

import re
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Annotated, Any, get_type_hints

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from kerascnn.arguments import UsageError
from kerascnn.tasks import get_task, list_tasks
from kerascnn.training import RunFolder

# More than any run of ours has: a record may come from somebody else.
_LONGEST = 10_000


def _of_any_bytes(text):
    """Checks the length only: the name of a folder may have bytes that are not UTF-8."""
    if len(text) > _LONGEST:
        raise ValueError(f"String should have at most {_LONGEST} characters")
    return text


_Text = Annotated[str, AfterValidator(_of_any_bytes)]
_Count = Annotated[int, Field(ge=0, le=10**12)]
_Side = Annotated[int, Field(ge=1, le=8192)]
_Channels = Annotated[int, Field(ge=1, le=4)]
_Names = Annotated[tuple[_Text, ...], Field(max_length=100_000)]
# What TensorFlow allows as the name of a layer
_NAME = re.compile(r"[\w.\\/>-]+", re.ASCII)
_LARGEST_BATCH, _MOST_EPOCHS = 100_000, 1_000_000
# What the file has beside the fields of a `RunRecord`
_BESIDE = ("kerascnn", "format", "versions", "extended_from")


@dataclass(frozen=True)
class ModelRecord:
    """The model of a run.

    Args:
        name: str, as `kerascnn.models.create_model` knows it.
        parameters: int, how many it has, without auxiliary heads.
        options: arguments of its builder.
        weights: `None`, `"imagenet"`, or the path of the run whose weights it started with.
    """

    name: _Text
    parameters: _Count
    options: dict[_Text, Any] = field(default_factory=dict)
    weights: _Text | None = None


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

    name: _Text
    num_examples: dict[_Text, _Count]
    data_dir: _Text | None = None
    version: _Text | None = None
    class_names: _Names = ()
    ignored: _Names = ()
    image_shape: tuple[_Side | None, _Side | None, _Channels] | None = None
    smallest: _Side = 1
    value_ranges: dict[_Text, tuple[float, float]] = field(default_factory=dict)
    mask_values: _Text | None = None
    mask_colors: _Text | None = None
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

    task: _Text
    model: ModelRecord
    data: DataRecord
    training: Any
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    command: Annotated[str, Field(max_length=1_000_000)] = ""

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
        record = _validated(cls, content, run.recipe_path, "", _BESIDE)
        recipe = _validated(recipe_class, content["training"], run.recipe_path, "training")
        if recipe.batch_size > _LARGEST_BATCH or recipe.epochs > _MOST_EPOCHS:
            raise UsageError(
                f"{run.recipe_path} must be the record of a run; training.batch_size must be at "
                f"most {_LARGEST_BATCH:,} and training.epochs at most {_MOST_EPOCHS:,}; got "
                f"{recipe.batch_size} and {recipe.epochs}."
            )
        return replace(record, training=recipe)

    def facts(self):
        """Returns what `kerascnn.training.fit` records next to the recipe."""
        content = asdict(self)
        return {key: content[key] for key in ("task", "model", "data", "seed")}


def _validated(cls, content, path, place, beside=()):
    """Returns a dataclass of JSON, or says in a sentence which key is wrong."""
    unknown = _unknown_key(cls, content, beside)
    if unknown is not None:
        name = f"{place}.{unknown}" if place else unknown
        raise UsageError(f"{path} must be the record of a run; {name}: there is no such key.")
    try:
        return TypeAdapter(cls).validate_python(content)
    except ValidationError as error:
        wrong = error.errors()[0]
        found = ".".join(map(str, ([place] if place else []) + list(wrong["loc"]))) or "training"
        reason = " ".join(wrong["msg"].split()).removeprefix("Value error, ").rstrip(".")
        raise UsageError(f"{path} must be the record of a run; {found}: {reason}.") from error
    except UsageError as error:  # of a dataclass that checks its own numbers
        raise UsageError(f"{path} must be the record of a run; {place}: {error}") from error
    except (RecursionError, OverflowError, TypeError) as error:
        raise UsageError(f"{path} must be the record of a run; got another content.") from error


def _unknown_key(cls, content, beside=()):
    """Returns the first key of a dict, as a path, that is no field of a dataclass."""
    if not isinstance(content, dict):
        return None  # which validation tells
    types = get_type_hints(cls)
    known = {part.name for part in fields(cls)}
    for key, value in content.items():
        if key not in known | set(beside):
            return str(key)[:100]
        if is_dataclass(types.get(key)):
            inner = _unknown_key(types[key], value)
            if inner is not None:
                return f"{key}.{inner}"
    return None


def open_run(folder, task=None):
    """Returns the `RunFolder` of a run and its record."""
    run = RunFolder(Path(folder))
    return run, RunRecord.of(run, task)


def load_model(run, record):
    """Returns the model of a run that its record fits.

    Raises:
        FileNotFoundError: if the run has no model yet.
        RuntimeError: if its file is broken.
        UsageError: if the record is that of another model.
    """
    model = run.load_model()
    reason = get_task(record.task).mismatch(model, record)
    wrong = [part.name for part in (model, *model.layers) if not _NAME.fullmatch(part.name)]
    if wrong:
        raise RuntimeError(f"{run.model_path} has a layer with an invalid name, {wrong[0]!r}.")
    if reason:
        raise UsageError(f"{run.recipe_path} does not fit {run.model_path}: {reason}.")
    return model
