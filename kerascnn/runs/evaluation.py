"""Evaluates the model of a finished run, or an exported model."""

import warnings
from pathlib import Path

from kerascnn.arguments import UsageError, one_of
from kerascnn.data import SPLITS
from kerascnn.runs.opened import open_model
from kerascnn.runs.recorded_data import check_classes, check_recorded
from kerascnn.storage.atomic_write import atomic_write
from kerascnn.tasks import Evaluation, get_task
from kerascnn.training import RunFolder


class ChangedDataWarning(UserWarning):
    """Warns that the images, labels or splits of a dataset have changed since the training."""


def evaluate(
    folder: str | Path,
    *,
    task: str | None = None,
    data: str | None = None,
    data_dir: str | Path | None = None,
    split: str = "test",
    plots: str | Path | None = None,
    max_pixels: int | None = None,
) -> tuple[Evaluation, list[Path]]:
    """Evaluates the best model of a run on a split of its own data, or of other data.

    Args:
        folder: path of the run folder, or of a model exported from it.
        task: optional str, the task that the run must belong to.
        data: str, a dataset or a folder; by default the training data, which exported models do not
            store.
        data_dir: folder of TensorFlow Datasets; by default as in the training.
        split: `"train"`, `"validation"`, `"test"` or `"all"`.
        plots: optional path of a new folder for figures.
        max_pixels: int, largest number of pixels of an image; by default what fits into a quarter
            of the memory.

    Returns:
        `(kerascnn.tasks.Evaluation, paths of the figures)`.

    Raises:
        FileNotFoundError: if there is no run.
        FileExistsError: if the folder for figures holds files.
        ValueError: if the data have other classes, or no images in the split.
    """
    one_of(split, (*SPLITS, "all"), "split")
    plots = None if plots is None else Path(plots)
    if plots is not None and plots.exists() and any(plots.iterdir()):
        raise FileExistsError(f"{plots} is not empty; choose a new folder for the figures.")
    opened = open_model(folder, task)
    record = opened.record
    known, used = record.data, get_task(record.task)
    if data is None:
        if not known.name:
            raise UsageError(f"`data` must be given for an exported model; got only {folder}.")
        check_recorded(RunFolder(opened.path), known, used.embedded, data_dir)
    limit = {} if max_pixels is None else {"max_pixels": max_pixels}
    found = used.reload(record, data or known.name, data_dir or known.data_dir, **limit)
    check_classes(used, record, found)
    if found.name == known.name:
        _warn_if_changed(known, found, used.describe(found).get("fingerprint", ""))
    asked = SPLITS if split == "all" else (split,)
    splits = [part for part in asked if found.num_examples[part]]
    if not splits:
        raise UsageError(f"{found.name} must have images in its {split} split; got none.")
    model = opened.load()
    if plots is not None:
        plots.mkdir(parents=True, exist_ok=True)  # fails early, before the evaluation
    evaluation = used.evaluate(model, found, splits, record)
    paths = []
    if plots is not None:
        title = f"{opened.path.name}: {split} images"
        for name, draw in evaluation.figures.items():
            paths.append(plots / f"{name}.png")
            with atomic_write(paths[-1]) as temporary:
                draw(title).savefig(temporary)
    return evaluation, paths


def _warn_if_changed(known, found, fingerprint):
    then, now = known.num_examples, dict(found.num_examples)
    if then != now:
        change = f"had {_counts(then)} images when the model was trained and has {_counts(now)}"
    elif known.fingerprint and known.fingerprint != fingerprint:
        change = "had other images, labels or splits when the model was trained"
    else:
        return
    warnings.warn(
        f"{found.name} {change}: some test images may have been used for training.",
        ChangedDataWarning,
        stacklevel=3,
    )


def _counts(counts):
    return ", ".join(f"{count:,} {split}" for split, count in counts.items())
