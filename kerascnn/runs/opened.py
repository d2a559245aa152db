"""The model of a run or of an export, for whoever asks it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kerascnn.arguments import UsageError
from kerascnn.export import load_exported
from kerascnn.export.formats import format_of
from kerascnn.runs.record import DataRecord, ModelRecord, RunRecord, load_model, open_run
from kerascnn.tasks import get_task, list_tasks


@dataclass(frozen=True)
class Opened:
    """A run or an export.

    Args:
        path: path of the folder or file.
        record: `RunRecord`.
        load: function that returns the model, or what takes its place.
    """

    path: Path
    record: RunRecord
    load: Callable[[], Any]


def open_model(path, task=None):
    """Opens a run, or an export.

    Args:
        path: path of a run folder, or of what `kerascnn export` wrote.
        task: optional str, the name of the task that it must be of.

    Returns:
        `Opened`.

    Raises:
        FileNotFoundError: if there is neither.
        ValueError: if it is of another task.
    """
    if format_of(path) is None:
        run, record = open_run(path, task)
        return Opened(run.path, record, lambda: load_model(run, record))
    exported = load_exported(path)
    record = exported_record(exported, task)
    return Opened(exported.path, record, lambda: get_task(record.task).network(exported))


def exported_record(exported, task=None):
    """Returns what an export says about itself as the record of a run.

    Args:
        exported: `kerascnn.export.ExportedModel`.
        task: optional str, the name of the task that it must be of.
    """
    known = exported.metadata
    found = known.get("task")
    if found not in list_tasks() or task not in (None, found) or "model" not in known:
        wanted = "export" if task is None else f"{get_task(task).command} export"
        what = f" ({found})" if isinstance(found, str) else ""
        raise UsageError(
            f"{exported.path} must be an export of a run (`kerascnn {wanted}`); it is another "
            f"one{what}."
        )
    names, values = tuple(known.get("class_names", ())), known.get("values")
    ignored = () if values is None else (name for i, name in enumerate(names) if i not in values)
    data = DataRecord(
        name="",
        num_examples={},
        class_names=names,
        ignored=tuple(ignored),
        image_shape=tuple(known["image_shape"]) if "image_shape" in known else None,
        value_ranges=known.get("value_ranges", {}),
    )
    # One that leaves the size of images as it is: an export resizes them itself.
    recipe = next(iter(get_task(found).recipes.rows.values()))
    return RunRecord(found, ModelRecord(known["model"], 0), data, recipe, seed=0)
