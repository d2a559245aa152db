"""Exports the model of a finished run."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from kerascnn.arguments import UsageError
from kerascnn.data import read_image
from kerascnn.export import Exported, load_exported
from kerascnn.export import export as export_model
from kerascnn.export.formats import get_format
from kerascnn.runs.export_folder import check_export
from kerascnn.runs.opened import exported_record
from kerascnn.runs.record import load_model, open_run
from kerascnn.runs.recorded_data import check_classes, check_recorded
from kerascnn.tasks import get_task

# Number of calibration images: more images hardly change the scores.
_CALIBRATION = 128


@dataclass(frozen=True)
class Score:
    """The score of a model before and after quantization.

    Args:
        name: str, the name of the score.
        before: float, the score of the model on the validation split.
        after: float, the score of the exported model.
        matters: float, the smallest loss that matters.
    """

    name: str
    before: float
    after: float
    matters: float

    @property
    def is_worse(self) -> bool:
        """bool, whether the loss matters."""
        return self.before - self.after > self.matters


@dataclass(frozen=True)
class RunExport:
    """The result of `export`.

    Args:
        exported: `kerascnn.export.Exported`.
        score: `Score` of a quantized model, otherwise `None`.
    """

    exported: Exported
    score: Score | None = None

    @property
    def path(self) -> Path:
        """`pathlib.Path` of the file, or of the version of a SavedModel."""
        return self.exported.path


def export(
    folder: str | Path,
    out: str | Path | None = None,
    *,
    task: str | None = None,
    format: str = "saved_model",
    quantize: str | None = None,
    data: str | None = None,
    data_dir: str | Path | None = None,
    overwrite: bool = False,
) -> RunExport:
    """Exports the best model of a run.

    Args:
        folder: path of the run folder.
        out: path of the file, or of the folder of the versions of a SavedModel; by default `export`
            in the run folder, or a file in it named after the run.
        task: optional str, the task that the run must belong to.
        format: str, see `kerascnn.export.export`.
        quantize: `None`, or `"int8"`: calibrated on training images, and evaluated on the
            validation split before and after.
        data: str, a dataset or a folder for `quantize`; by default the training data.
        data_dir: folder of TensorFlow Datasets for `quantize`; by default as in the training.
        overwrite: bool, whether to replace an existing file.

    Returns:
        `RunExport`.

    Raises:
        FileNotFoundError: if there is no run.
        FileExistsError: if the file exists.
        kerascnn.export.ExportError: if the outputs of the exported model differ from the model.
    """
    if quantize is None and (data is not None or data_dir is not None):
        raise UsageError("`data` and `data_dir` need `quantize`: nothing else uses images.")
    run, record = open_run(folder, task)
    used, suffix = get_task(record.task), get_format(format).suffix
    if out is None:
        kind = f".{quantize}" if quantize else ""
        out = run.exports / f"{run.path.resolve().name}{kind}{suffix}" if suffix else run.exports
    check_export(Path(out).parent if suffix else out)
    model = load_model(run, record)
    serving = used.serving(model, record)
    facts = {"model": record.model.name, **used.metadata(record)}
    serving = replace(serving, metadata={**serving.metadata, **facts})
    found, calibration = None, ()
    if quantize is not None:
        if data is None:
            check_recorded(run, record.data, used.embedded, data_dir)
        found = used.reload(record, data or record.data.name, data_dir or record.data.data_dir)
        check_classes(used, record, found)
        calibration = list(used.calibration_images(found, record, _CALIBRATION))
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
    score = None if found is None else _score(used, model, record, found, exported.path)
    return RunExport(exported, score)


def _score(task, model, record, data, path):
    """Returns the score of a model before and after export on the validation split, or `None`."""
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
