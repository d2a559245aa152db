"""Exports the model of a finished run."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from kerascnn.data import read_image
from kerascnn.export import Exported, load_exported
from kerascnn.export import export as export_model
from kerascnn.export.formats import get_format
from kerascnn.runs.export_folder import check_export
from kerascnn.runs.opened import exported_record
from kerascnn.runs.record import load_model, open_run
from kerascnn.runs.recorded_data import check_recorded
from kerascnn.tasks import get_task

# Images that the ranges of activations are chosen by: with more, scores hardly change.
_CALIBRATION = 128


@dataclass(frozen=True)
class Score:
    """What 8 bits cost.

    Args:
        name: str, the name of the number.
        before: float, of the model on the validation split.
        after: float, of the export.
        matters: float, the loss that matters.
    """

    name: str
    before: float
    after: float
    matters: float

    @property
    def is_worse(self):
        """bool, whether the loss matters."""
        return self.before - self.after > self.matters


@dataclass(frozen=True)
class RunExport:
    """What `export` wrote.

    Args:
        exported: `kerascnn.export.Exported`.
        score: `Score` of a quantized model, otherwise `None`.
    """

    exported: Exported
    score: Score | None = None

    @property
    def path(self):
        """`pathlib.Path` of the file, or of the version of a SavedModel."""
        return self.exported.path


def export(
    folder,
    out=None,
    *,
    task=None,
    format="saved_model",
    quantize=None,
    overwrite=False,
):
    """Exports the best model of a run.

    Args:
        folder: path of the run folder.
        out: path of the folder of the versions of a SavedModel, or of the file; by default `export`
            in the run folder, or a file in it that is named for the run.
        task: optional str, the name of the task that the run must be of.
        format: str, see `kerascnn.export.export`.
        quantize: `None`, or `"int8"`: calibrated on images of the training, and measured on the
            validation split before and after.
        overwrite: bool, whether a file that is there may be replaced.

    Returns:
        `RunExport`.

    Raises:
        FileNotFoundError: if there is no run.
        FileExistsError: if the file is there already.
        kerascnn.export.ExportError: if what was written does not compute what the model does.
    """
    run, record = open_run(folder, task)
    task, suffix = get_task(record.task), get_format(format).suffix
    if out is None:
        kind = f".{quantize}" if quantize else ""
        out = run.exports / f"{run.path.resolve().name}{kind}{suffix}" if suffix else run.exports
    check_export(Path(out).parent if suffix else out)
    model = load_model(run, record)
    serving = task.serving(model, record)
    facts = {"model": record.model.name, **task.metadata(record)}
    serving = replace(serving, metadata={**serving.metadata, **facts})
    data, calibration = None, ()
    if quantize is not None:
        check_recorded(run, record.data, task.embedded)
        data = task.reload(record, record.data.name, record.data.data_dir)
        calibration = list(task.calibration_images(data, record, _CALIBRATION))
    exported = export_model(
        model,
        out,
        format=format,
        serving=serving,
        images=[read_image(path) for path in sorted(run.examples.rglob("*.png"))],
        quantize=quantize,
        calibration=calibration,
        overwrite=overwrite,
    )
    score = None if data is None else _score(task, model, record, data, exported.path)
    return RunExport(exported, score)


def _score(task, model, record, data, path):
    """Measures a model and its export on the validation split; `None` where that is not defined."""
    if task.score is None:
        return None
    name, matters = task.score
    loaded = load_exported(path)
    sides = ((model, record), (task.network(loaded), exported_record(loaded)))
    before, after = (
        float(np.float64(task.evaluate(network, data, ["validation"], known).numbers[name]))
        for network, known in sides
    )
    return Score(name, before, after, matters)
