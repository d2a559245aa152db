"""Checks whether the data that a run's record names may be read."""

import os
import re
from pathlib import Path

from kerascnn.arguments import UsageError

# A dataset of TensorFlow Datasets, its configuration and version: no other registry, and not a path
_DATASET = re.compile(r"\w+(/[\w.+-]+)?(:\d+\.\d+\.\d+)?", re.ASCII)


def check_recorded(run, data, embedded, data_dir=None):
    """Raises an error if a record names data that are not available locally.

    A record may come from an untrusted source, so the data it names are neither downloaded nor
    looked up at a relative path. With `--data`, the user says where the data are.

    Args:
        run: `RunFolder`.
        data: `DataRecord`.
        embedded: names of the embedded datasets of the task.
        data_dir: optional path, TensorFlow Datasets' folder, from the user.

    Raises:
        UsageError: if such a name is not allowed in a record, or the data are not prepared.
        FileNotFoundError: if a folder does not exist.
    """
    name = data.name
    if name in embedded:
        return
    if os.path.isabs(name):
        if not Path(name).is_dir():
            raise FileNotFoundError(
                f"There is no folder {name}, which {run.recipe_path} names: use --data."
            )
        return
    if not _DATASET.fullmatch(name) or (data.data_dir and not os.path.isabs(data.data_dir)):
        raise UsageError(
            f"{run.recipe_path} must name an absolute path, or a dataset of TensorFlow "
            f"Datasets; got {name!r}: use --data."
        )
    prepared = data_dir or data.data_dir or os.environ.get("TFDS_DATA_DIR", "~/tensorflow_datasets")
    folder = Path(prepared).expanduser() / name.partition("/")[0].partition(":")[0]
    if not folder.is_dir():
        raise UsageError(
            f"The data of {run.path}, the dataset {name!r}, are not in {folder}: use "
            f"`--data {name}` to download them, or `--data-dir`."
        )


def check_classes(task, record, data):
    """Raises an error if data do not have the classes that a model was trained on.

    Args:
        task: `kerascnn.tasks.Task`.
        record: `RunRecord`.
        data: what `task.reload` returns.

    Raises:
        UsageError: if the classes differ.
    """
    class_names, known = task.describe(data).get("class_names", ()), record.data.class_names
    if tuple(class_names) != known:
        raise UsageError(
            f"The data must have the classes of the training ({_listed(known)}); "
            f"got {_listed(class_names)}."
        )


def _listed(names):
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "") or "none"
