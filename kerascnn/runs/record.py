"""Typed records of `recipe.json`: everything that determines the result of a run."""

import re
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from pathlib import Path
from typing import Annotated, Any, get_type_hints

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from kerascnn.arguments import UsageError
from kerascnn.tasks import get_task, list_tasks
from kerascnn.training import RunFolder

# Limits above any real run, because a record may come from an untrusted source.
_LONGEST = 10_000


def _of_any_bytes(text):
    """Checks only the length: the name of a folder may have bytes that are not UTF-8."""
    if len(text) > _LONGEST:
        raise ValueError(f"String should have at most {_LONGEST} characters")
    return text


_Text = Annotated[str, AfterValidator(_of_any_bytes)]
_Count = Annotated[int, Field(ge=0, le=10**12)]
_Side = Annotated[int, Field(ge=1, le=8192)]
_Channels = Annotated[int, Field(ge=1, le=4)]
_Names = Annotated[tuple[_Text, ...], Field(max_length=100_000)]
# Layer names that TensorFlow allows
_NAME = re.compile(r"[\w.\\/>-]+", re.ASCII)
_LARGEST_BATCH, _MOST_EPOCHS = 100_000, 1_000_000
# Keys of the file that are not fields of `RunRecord`
_BESIDE = ("kerascnn", "format", "versions", "extended_from")


@dataclass(frozen=True)
class ModelRecord:
    """The model of a run.

    Args:
        name: str, the name in `kerascnn.models.create_model`.
        parameters: int, number of parameters, without auxiliary heads.
        options: arguments of its builder.
        weights: `None`, `"imagenet"`, or the path of the run that provided the initial weights.
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
        version: optional str, the version of the dataset.
        class_names: names of the classes, in the order of the labels.
        ignored: names of the classes that are not scored.
        image_shape: `(height, width, channels)` of the images at the model's input size, or as
            stored if the model takes any size; `None` where they differ.
        smallest: int, minimum height and width of an image, in pixels.
        value_ranges: `{type: (low, high)}`, the values of images of more than eight bits that
            become 0 and 255, as in `kerascnn.data.read_image`.
        mask_values: optional str, the mask values of the classes.
        mask_colors: optional str, the mask colors of the classes.
        fingerprint: str, a hash of the images, their labels or masks, and their splits, if the
            data are in a folder; empty in records of earlier versions.
        reading: dict that describes how the folder was interpreted, for information.
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
    fingerprint: _Text = ""
    reading: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RunRecord:
    """Everything that determines the result of a run.

    Args:
        task: str, the name in `kerascnn.tasks.get_task`.
        model: `ModelRecord`.
        data: `DataRecord`.
        training: the recipe, an instance of the task's `recipe_class`.
        seed: int.
        command: str, the command that started the run.
    """

    task: _Text
    model: ModelRecord
    data: DataRecord
    training: Any
    seed: Annotated[int, Field(ge=0, lt=2**32)]
    command: Annotated[str, Field(max_length=1_000_000)] = ""

    @classmethod
    def of(cls, run: RunFolder, task: str | None = None) -> "RunRecord":
        """Reads the record of a run.

        Args:
            run: `kerascnn.training.RunFolder`.
            task: optional str, the task that it must belong to.

        Raises:
            FileNotFoundError: if there is no run.
            ValueError: if the record is invalid, or belongs to another task.
        """
        content = run.recipe()
        found = content.get("task")
        if found not in list_tasks() or task not in (None, found):
            wanted = "train" if task is None else f"{get_task(task).command} train"
            what = f" ({found})" if isinstance(found, str) else ""
            raise UsageError(
                f"{run.path} must be a run of `kerascnn {wanted}`; got another run{what}."
            )
        recipe_class = get_task(found).recipe_class
        record = _validated(cls, content, run.recipe_path, "", _BESIDE)
        recipe = _validated(recipe_class, content["training"], run.recipe_path, "training")
        if recipe.batch_size > _LARGEST_BATCH or recipe.epochs > _MOST_EPOCHS:
            raise UsageError(
                f"{run.recipe_path} is invalid; training.batch_size must be at "
                f"most {_LARGEST_BATCH:,} and training.epochs at most {_MOST_EPOCHS:,}; got "
                f"{recipe.batch_size} and {recipe.epochs}."
            )
        return replace(record, training=recipe)

    def facts(self) -> dict[str, Any]:
        """Returns the `facts` of `kerascnn.training.fit`."""
        content = asdict(self)
        return {key: content[key] for key in ("task", "model", "data", "seed")}


def _validated(cls, content, path, place, beside=()):
    """Builds a dataclass from JSON, or raises an error that names the wrong key."""
    unknown = _unknown_key(cls, content, beside)
    if unknown is not None:
        name = f"{place}.{unknown}" if place else unknown
        raise UsageError(f"{path} is invalid; {name}: there is no such key.")
    try:
        return TypeAdapter(cls).validate_python(content)
    except ValidationError as error:
        wrong = error.errors()[0]
        found = ".".join(map(str, ([place] if place else []) + list(wrong["loc"]))) or "training"
        reason = " ".join(wrong["msg"].split()).removeprefix("Value error, ").rstrip(".")
        raise UsageError(f"{path} is invalid; {found}: {reason}.") from error
    except UsageError as error:  # from a dataclass that checks its own values
        raise UsageError(f"{path} is invalid; {place}: {error}") from error
    except (RecursionError, OverflowError, TypeError) as error:
        raise UsageError(f"{path} must be the record of a run; got other content.") from error


def _unknown_key(cls, content, beside=()):
    """Returns the first key of a dict, as a path, that is not a field of a dataclass."""
    if not isinstance(content, dict):
        return None  # validation reports this
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
    """Loads the model of a run, and checks that it fits the record.

    Raises:
        FileNotFoundError: if the run has no model yet.
        RuntimeError: if its file is damaged.
        UsageError: if the record belongs to another model.
    """
    model = run.load_model()
    reason = get_task(record.task).mismatch(model, record)
    wrong = [part.name for part in (model, *model.layers) if not _NAME.fullmatch(part.name)]
    if wrong:
        raise RuntimeError(f"{run.model_path} has a layer with an invalid name, {wrong[0]!r}.")
    if reason:
        raise UsageError(f"{run.recipe_path} does not fit {run.model_path}: {reason}.")
    return model
