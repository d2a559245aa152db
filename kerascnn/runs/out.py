"""The output folder of a run."""

import contextlib
import os
import re
from itertools import count
from pathlib import Path

from kerascnn.arguments import UsageError
from kerascnn.storage.file_names import file_name
from kerascnn.training import RunFolder
from kerascnn.training.errors import RunInUseError


def enter_default_out(stack, data, model, command):
    """Locks the default folder of a run, or the next one if another command has just locked that.

    Args:
        stack: `contextlib.ExitStack` that holds the lock.
        data, model, command: as in `default_out`.

    Returns:
        `RunFolder`.

    Raises:
        RunInUseError: if the same command is running.
    """
    in_use = []
    while True:
        path = default_out(data, model, command, in_use)
        run = RunFolder(path)
        with contextlib.ExitStack() as attempt:
            try:
                attempt.enter_context(run.locked(command))
            except RunInUseError as error:
                if is_same(error.command, command):
                    raise
            else:
                _, earlier = _run_in(path)
                if earlier is None or is_same(earlier, command):
                    stack.push(attempt.pop_all())
                    return run
                continue  # another command has started a run there, and has ended
        in_use.append(path)


def default_out(data, model, command, in_use=()):
    """Returns the default folder of a run: `runs/DATA-MODEL`, perhaps with a number.

    This is the folder of an earlier run of the same command, if there is one, or else the first
    free folder, with a number unless it is the first.

    Args:
        data: str, the name of the dataset or a folder.
        model: str, the name of the model.
        command: str, the command that starts the run.
        in_use: folders that other commands have locked.
    """
    name, free = Path(data).resolve().name, None
    for number in count(1):
        ending = f"-{model}" if number == 1 else f"-{model}-{number}"
        path = Path("runs") / file_name(name, ending, "runs")
        if path in in_use:
            continue
        if not os.path.lexists(path):
            return free or path
        state, earlier = _run_in(path)
        if earlier is not None and is_same(earlier, command):
            return path
        if state == "new":
            free = free or path


def _run_in(path):
    """Returns the state of a folder, and the command of the run in it."""
    run = RunFolder(path)
    try:
        state = run.state
        return state, run.recipe().get("command") if state in ("unfinished", "finished") else None
    except (UsageError, FileNotFoundError):  # the recipe of another program, or a missing recipe
        return "foreign", None


def data_plot(data):
    """Returns the default path of the figure of a dataset."""
    return Path("runs") / file_name(Path(data).resolve().name, "-data.png", "runs")


def is_same(command, other):
    """Returns whether two commands start the same run, as far as the first is known."""
    return command is None or _without_switches(command) == _without_switches(other)


def _without_switches(command):
    command = re.sub(r" --checkpoint-every[ =]\S+", "", command)
    return [word for word in command.split() if word not in ("--force", "--debug")]


def check_out(out, data=None, data_dir=None, weights=None):
    """Raises an error if a run in a folder could change or delete its own inputs.

    Args:
        out: path of the run folder.
        data: optional str, the data as given on the command line, unless they are embedded.
        data_dir: optional path, TensorFlow Datasets' folder.
        weights: optional str, the run whose weights are used.

    Raises:
        ValueError: if the folder contains the current folder or the data, is inside the data, or is
            the run that provides the weights.
    """
    if is_within(Path.cwd(), out):
        raise UsageError(
            f"`--out` must not be the current folder, or a folder around it; got {out}: "
            "choose a folder inside it, such as runs/NAME."
        )
    if data_dir is not None and is_within(data_dir, out):
        raise UsageError(
            f"`--out` must not contain `--data-dir`; got {out} and {data_dir}: "
            "choose another folder."
        )
    folders = [] if data is None else _folders(Path(data))
    if data is not None and data_dir is not None:
        folders.append(data_dir / str(data).partition("/")[0].partition(":")[0])
    for folder in folders:
        if is_within(out, folder) or is_within(folder, out):
            raise UsageError(
                f"`--out` must not contain the data, or be inside the data; got {out} "
                f"and the data {folder}: choose another folder."
            )
    if weights is not None and is_within(weights, out) and is_within(out, weights):
        raise UsageError(
            f"`--out` must not be the run of `--weights`; got {out} for both: "
            "choose another folder."
        )


def is_within(path, folder):
    """Returns whether a path is a folder or is below it, also through links."""
    path, folder = (Path(os.path.realpath(name)) for name in (path, folder))
    if folder == path or folder in path.parents:
        return True
    try:  # the same folder by another name: a mount, or a case-insensitive file system
        known = folder.stat()
    except OSError:
        return False
    return any(
        os.path.samestat(parent.stat(), known)
        for parent in (path, *path.parents)
        if parent.exists()
    )


def _folders(data, depth=2):
    """Yields a data folder, and folders linked into it: classes, or splits and their classes."""
    found = [data]
    if depth and data.is_dir():
        for entry in os.scandir(data):
            if entry.is_symlink() and entry.is_dir():
                found += _folders(Path(entry.path), depth - 1)
            elif entry.is_dir():
                found += _folders(Path(entry.path), depth - 1)[1:]
    return found
