"""Exports the model of a finished run."""

from dataclasses import replace

from kerascnn.data import read_image
from kerascnn.export import export as export_model
from kerascnn.runs.export_folder import check_export
from kerascnn.runs.record import load_model, open_run
from kerascnn.tasks import get_task


def export(folder, out=None, *, task=None):
    """Exports the best model of a run.

    Args:
        folder: path of the run folder.
        out: path of the folder of the versions; by default `export` in the run folder.
        task: optional str, the name of the task that the run must be of.

    Returns:
        `pathlib.Path` of the new version.

    Raises:
        FileNotFoundError: if there is no run.
        kerascnn.export.ExportError: if what was written does not compute what the model does.
    """
    run, record = open_run(folder, task)
    check_export(out or run.exports)
    model = load_model(run, record)
    images = [read_image(path) for path in sorted(run.examples.rglob("*.png"))]
    task = get_task(record.task)
    serving = task.serving(model, record)
    metadata = {**serving.metadata, **task.metadata(record)}
    serving = replace(serving, metadata=metadata)
    return export_model(model, out or run.exports, serving, images)
