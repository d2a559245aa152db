"""Opens the model of a run, or an exported model."""

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
    """A run or an exported model.

    Args:
        path: path of the folder or file.
        record: `RunRecord`.
        load: function that returns the model, or a replacement for it.
    """

    path: Path
    record: RunRecord
    load: Callable[[], Any]


def open_model(path, task=None):
    """Opens a run, or an exported model.

    Args:
        path: path of a run folder, or of the output of `kerascnn export`.
        task: optional str, the task that it must belong to.

    Returns:
        `Opened`.

    Raises:
        FileNotFoundError: if there is neither a run nor an exported model.
        ValueError: if it belongs to another task.
    """
    if format_of(path) is None:
        run, record = open_run(path, task)
        return Opened(run.path, record, lambda: load_model(run, record))
    exported = load_exported(path)
    record = exported_record(exported, task)
    return Opened(exported.path, record, lambda: get_task(record.task).network(exported))


def exported_record(exported, task=None):
    """Converts the metadata of an exported model to a run record.

    Args:
        exported: `kerascnn.export.ExportedModel`.
        task: optional str, the task that it must belong to.
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
    # A recipe that does not resize images: exported models resize them themselves.
    recipe = next(iter(get_task(found).recipes.rows.values()))
    return RunRecord(found, ModelRecord(known["model"], 0), data, recipe, seed=0)
