"""Previews the training images before a training."""

import os
from dataclasses import replace
from pathlib import Path

from matplotlib.backend_bases import FigureCanvasBase

from kerascnn.arguments import UsageError
from kerascnn.runs.out import data_plot
from kerascnn.runs.start import start_of
from kerascnn.storage.atomic_write import atomic_write
from kerascnn.storage.printable import printable
from kerascnn.tasks import Request, Task


def show_data(
    task: Task, request: Request, out: str | Path | None = None, *, force: bool = False
) -> Path:
    """Plots training images as the model receives them, with augmentation.

    Args:
        task: `kerascnn.tasks.Task`.
        request: `kerascnn.tasks.Request`.
        out: path of the figure; by default `runs/DATA-data.png`.
        force: bool, whether to overwrite an existing file.

    Returns:
        `pathlib.Path` of the figure.

    Raises:
        FileExistsError: if the file exists.
        ValueError: if Matplotlib does not write files with its suffix, or the request is invalid;
            the message says what to change.
    """
    request = replace(request, data=request.data or task.embedded[0])
    out = data_plot(request.data) if out is None else Path(out)
    if os.path.lexists(out) and not force:
        raise FileExistsError(f"{out} exists; choose a new file, or --force to overwrite it.")
    known = FigureCanvasBase.get_supported_filetypes()
    if out.suffix[1:].lower() not in known:
        raise UsageError(
            f"`out` must end in {', '.join(f'.{name}' for name in sorted(known))}; got {out}."
        )
    start = start_of(task, request)
    data = task.load(request, start, task.recipe(request, start))
    recipe = task.recipe(request, start, data)
    title = f"{printable(data.name)}: training images"
    if recipe.augmentation.names():
        title += f", then {', '.join(recipe.augmentation.names())}"
    figure = task.preview(data, start, recipe, request.seed, title)
    with atomic_write(out) as temporary:
        figure.savefig(temporary)
    return out
