"""Predicts image files with the model of a finished run, or with an exported model."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from kerascnn.data import UnreadableImageError, read_image
from kerascnn.runs.opened import open_model
from kerascnn.runs.output_files import OutputFiles, input_files
from kerascnn.storage.file_names import shortened
from kerascnn.storage.printable import printable
from kerascnn.tasks import get_task


def predict(
    folder: str | Path,
    paths: Iterable[str | Path],
    out: str | Path | None = None,
    *,
    task: str | None = None,
    force: bool = False,
    max_pixels: int | None = None,
    on_error: Callable[[Exception], Any] | None = None,
    **options: Any,
) -> Iterator[Any]:
    """Predicts image files of any size and format, and saves predictions that are files.

    Saved files keep the paths of the images relative to the given folder.

    Args:
        folder: path of the run folder, or of a model exported from it.
        paths: paths of images, or of folders of images. If predictions are saved in a folder below
            one of these, images there are left out with a warning.
        out: path of the folder to save predictions in; by default `predictions`.
        task: optional str, the task that the run must belong to.
        force: bool, whether to overwrite earlier predictions, except files that are input images,
            training data or part of a run.
        max_pixels: int, largest number of pixels of an image; by default what fits into a quarter
            of the memory.
        on_error: optional function that is called with the error of a file that cannot be read, or
            whose prediction cannot be saved. By default, the error is raised.
        **options: options of the task, such as `tile` for segmentation.

    Yields:
        pairs of a file path, as str, and its `kerascnn.tasks.Prediction`.

    Raises:
        FileNotFoundError: if there is no run, or no such file.
        UnreadableImageError: if a file is not an image, or is damaged.
        FileExistsError: if a prediction would overwrite a file.
    """
    opened = open_model(folder, task)
    record = opened.record
    used, out = get_task(record.task), Path("predictions" if out is None else out)
    saves = bool(used.files(Path("image.png"), record, **options))
    files = list(input_files(paths, out if saves else None))
    model = opened.load()
    outputs = OutputFiles([file for file, _ in files], record.data.name, force)
    waiting = deque()

    def images():
        for file, place in files:
            targets = {
                kind: shortened(out / path)
                for kind, path in used.files(place, record, **options).items()
            }
            if targets and out.exists() and not out.is_dir():
                raise NotADirectoryError(f"{out} must be a folder for predictions; got a file.")
            try:
                outputs.check_free(file, targets.values())
                image = read_image(file, used.channels(model), max_pixels, record.data.value_ranges)
            except (UnreadableImageError, FileExistsError) as error:
                if on_error is None:
                    raise
                on_error(error)
                continue
            outputs.add(targets.values())
            waiting.append((file, targets))
            yield image

    for prediction in used.predict(model, images(), record, **options):
        file, targets = waiting.popleft()
        prediction.save(targets)
        yield printable(file), prediction
