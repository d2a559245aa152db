"""What the `train` commands share: where a run may be, and what happens to an earlier run there."""

import os
from contextlib import contextmanager
from pathlib import Path

import typer

from kerascnn.storage.file_names import file_name
from kerascnn.storage.printable import printable


def default_out(data, ending=""):
    """The folder of a run for which none was given: `runs/DATA` and an ending."""
    return Path("runs") / file_name(Path(data).resolve().name, ending, "runs")


def check_out(out, data=None, data_dir=None, weights=None):
    """Raises an error if a run in a folder could change or delete what it is made from.

    Args:
        out: path of the run folder.
        data: optional str, the data as given on the command line, if they are not embedded.
        data_dir: optional path, TensorFlow Datasets' folder.
        weights: optional str, the run whose weights are used.

    Raises:
        ValueError: if the folder contains the current folder or the data, is in the data, or is the
            run of the weights.
    """
    if is_within(Path.cwd(), out):
        raise ValueError(
            f"`--out` must not be the current folder, or a folder around it; got {out}: "
            "choose a folder inside it, such as runs/NAME."
        )
    if data_dir is not None and is_within(data_dir, out):
        raise ValueError(
            f"`--out` must not contain `--data-dir`; got {out} and {data_dir}: "
            "choose another folder."
        )
    folders = [] if data is None else _folders(Path(data))
    if data is not None and data_dir is not None:
        folders.append(data_dir / str(data).partition("/")[0].partition(":")[0])
    for folder in folders:
        if is_within(out, folder) or is_within(folder, out):
            raise ValueError(
                f"`--out` must not contain the data, or be inside the data; got {out} "
                f"and the data {folder}: choose another folder."
            )
    if weights is not None and is_within(weights, out) and is_within(out, weights):
        raise ValueError(
            f"`--out` must not be the run of `--weights`; got {out} for both: "
            "choose another folder."
        )


def is_within(path, folder):
    """Whether a path is a folder or is below it, also by way of links."""
    path, folder = (Path(os.path.realpath(name)) for name in (path, folder))
    if folder == path or folder in path.parents:
        return True
    try:  # two names of one folder: a mount, or a file system that ignores case
        known = folder.stat()
    except OSError:
        return False
    return any(
        os.path.samestat(parent.stat(), known)
        for parent in (path, *path.parents)
        if parent.exists()
    )


def _folders(data, depth=2):
    """A folder of data, and what is linked into it: classes, or splits and their classes."""
    found = [data]
    if depth and data.is_dir():
        for entry in os.scandir(data):
            if entry.is_symlink() and entry.is_dir():
                found += _folders(Path(entry.path), depth - 1)
            elif entry.is_dir():
                found += _folders(Path(entry.path), depth - 1)[1:]
    return found


def is_finished(run, force):
    """Whether there is nothing to do, which is then said."""
    if run.state != "finished" or force:
        return False
    typer.echo(f"{printable(run.path)} holds a finished run; --force clears it and trains again.")
    return True


@contextmanager
def replacing(run, force):
    """Clears the earlier run of a folder, if asked for, and says where it is.

    An error in the context says so, too, if the earlier run is still there.
    """
    if force:
        run.clear()
    earlier = run.replaced
    if earlier:
        typer.echo(
            f"earlier run: moved to {_listed(earlier)} until the new run has its first checkpoint"
        )
    try:
        yield
    except Exception as error:
        if run.replaced:
            error.add_note(f"The earlier run is in {_listed(run.replaced)}.")
        raise
    kept = [folder for folder in earlier if folder.exists()]
    if kept:
        typer.echo(
            f"earlier run: {_listed(kept)} is kept: not all of its files are known to be as the "
            "run wrote them"
        )


def _listed(folders):
    return ", ".join(map(printable, folders))
