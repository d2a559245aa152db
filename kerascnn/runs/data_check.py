"""Checks how data are read, without training."""

import warnings
from dataclasses import dataclass, replace

from kerascnn.arguments import UsageError
from kerascnn.data import UnreadableImageError
from kerascnn.runs.start import start_of
from kerascnn.tasks import Request, Task

_FAULTS = (UsageError, UnreadableImageError, FileNotFoundError, ConnectionError, RuntimeError)


@dataclass(frozen=True)
class DataCheck:
    """The result of a data check.

    Args:
        lines: lines that a training would print about the data.
        warnings: messages about data that look wrong.
        errors: messages about data that prevent a training; at most one at a time.
    """

    lines: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


def check_data(task: Task, request: Request) -> DataCheck:
    """Reads the data of a training once, without training.

    Args:
        task: `kerascnn.tasks.Task`.
        request: `kerascnn.tasks.Request`.

    Returns:
        `DataCheck`.

    Raises:
        ValueError: if the request is invalid, whatever the data are.

    Example:
        >>> from kerascnn import runs, tasks
        >>> check = runs.check_data(tasks.get_task("classification"), tasks.Request())
        >>> check.lines[0]
        'data:        train 1,257, validation 180, test 360'
    """
    request = replace(request, data=request.data or task.embedded[0])
    start = start_of(task, request)
    recipe = task.recipe(request, start)
    lines, errors = [], []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            data = task.load(request, start, recipe)
            in_a_folder = getattr(data, "report", None) is not None
            lines = [*([] if in_a_folder else _lines(data)), *task.remarks(data)]
        except _FAULTS as error:
            errors.append(str(error))
    ours = [str(w.message) for w in caught if w.category.__module__.startswith("kerascnn")]
    return DataCheck(tuple(lines), tuple(dict.fromkeys(ours)), tuple(errors))


def _lines(data):
    """Returns a line that describes data without a folder."""
    counts = ", ".join(f"{split} {count:,}" for split, count in data.num_examples.items())
    return [f"data:        {counts}"]
