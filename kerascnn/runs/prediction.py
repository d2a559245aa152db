"""Predictions of the model of a finished run, or of an export, for image files."""

from collections import deque
from pathlib import Path

from kerascnn.data import UnreadableImageError, read_image
from kerascnn.runs.opened import open_model
from kerascnn.runs.output_files import OutputFiles, input_files
from kerascnn.storage.file_names import shortened
from kerascnn.storage.printable import printable
from kerascnn.tasks import get_task


def predict(
    folder,
    paths,
    out=None,
    *,
    task=None,
    force=False,
    max_pixels=None,
    on_error=None,
    **options,
):
    """Predicts from image files of any size and kind, and saves what are files.

    A file keeps its place below the folder it was found in.

    Args:
        folder: path of the run folder, or of an export of it.
        paths: paths of images, or of folders of them.
        out: path of the folder to save predictions in; by default `predictions`.
        task: optional str, the name of the task that the run must be of.
        force: bool, whether earlier predictions may be overwritten, if they are neither one of the
            images, nor in the data of the training, nor a file of a run.
        max_pixels: int, the largest image that is read; by default what fits into a quarter of the
            memory.
        on_error: optional function that is called with the error of a file that cannot be read,
            or whose prediction cannot be saved; by default the error is raised.
        **options: the task's own, such as `tile` of a segmentation.

    Yields:
        pairs of the path of a file, as text, and its `kerascnn.tasks.Prediction`.

    Raises:
        FileNotFoundError: if there is no run, or no such file.
        UnreadableImageError: if a file is not an image, or is broken.
        FileExistsError: if a prediction would overwrite a file.
    """
    opened = open_model(folder, task)
    record = opened.record
    task, out = get_task(record.task), Path("predictions" if out is None else out)
    files = list(input_files(paths))
    model = opened.load()
    outputs = OutputFiles([file for file, _ in files], record.data.name, force)
    waiting = deque()

    def images():
        for file, place in files:
            targets = {
                kind: shortened(out / path)
                for kind, path in task.files(place, record, **options).items()
            }
            if targets and out.exists() and not out.is_dir():
                raise NotADirectoryError(
                    f"{out} must be a folder for the predictions; it is a file."
                )
            try:
                outputs.check_free(file, targets.values())
                image = read_image(file, task.channels(model), max_pixels, record.data.value_ranges)
            except (UnreadableImageError, FileExistsError) as error:
                if on_error is None:
                    raise
                on_error(error)
                continue
            outputs.add(targets.values())
            waiting.append((file, targets))
            yield image

    for prediction in task.predict(model, images(), record, **options):
        file, targets = waiting.popleft()
        prediction.save(targets)
        yield printable(file), prediction
