"""Input images of predictions, and the files in which predictions are saved."""

import os
import warnings
from pathlib import Path

from kerascnn.data import SkippedImageWarning
from kerascnn.data.file_tree import files_of
from kerascnn.runs.out import is_within
from kerascnn.training import RunFolder


def input_files(paths, out=None):
    """Yields pairs of an image file and its path relative to the given folder, without duplicates.

    Args:
        paths: paths of images, or of folders of images.
        out: optional path of the folder of predictions; images in it are left out with a warning,
            unless it is one of the paths, or around one.

    Raises:
        FileNotFoundError: if there is no such file or folder.
        ValueError: if a folder has no images.
    """
    seen, left_out = set(), 0
    for path in map(Path, paths):
        inside = out is not None and path.is_dir() and is_within(out, path)
        for file in files_of([path]):
            real = os.path.realpath(file)
            if real in seen:
                continue
            if inside and not is_within(path, out) and is_within(file, out):
                left_out += 1
                continue
            seen.add(real)
            yield file, file.relative_to(path) if path.is_dir() else Path(file.name)
    if left_out:
        warnings.warn(
            f"{left_out:,} images in {out} are left out, because predictions are saved there; give "
            "that folder as input to use them.",
            SkippedImageWarning,
            stacklevel=2,
        )


class OutputFiles:
    """Checks which files predictions may overwrite.

    Args:
        files: paths of the images.
        data: str, the training data, if known; files in their folder are never overwritten.
        force: bool, whether to overwrite existing files, except the images, the data and files of a
            run.
    """

    def __init__(self, files, data, force):
        self._given = {os.path.realpath(file) for file in files}
        self._data = Path(data) if data and Path(data).is_dir() else None
        self._force = force
        self._written = set()

    def check_free(self, file, targets):
        """Raises an error if the prediction for a file must not be saved.

        Args:
            file: path of the image file.
            targets: paths of the files to write.

        Raises:
            FileExistsError: if one of the files exists.
        """
        for target in targets:
            if target in self._written:
                raise FileExistsError(
                    f"{file} is left out: {target} is the prediction for another file."
                )
            if not os.path.lexists(target):
                continue
            if not self._force:
                raise FileExistsError(
                    f"{file} is left out: {target} exists; --force overwrites it."
                )
            reason = self._precious(target)
            if reason:
                raise FileExistsError(
                    f"{file} is left out: {target} {reason}, which --force does not overwrite; "
                    "choose another folder for `--out`."
                )

    def add(self, targets):
        """Records that files were written."""
        self._written |= set(targets)

    def _precious(self, target):
        if os.path.realpath(target) in self._given:
            return "is one of the given images"
        if self._data is not None and is_within(target, self._data):
            return "is in the training data"
        real = Path(os.path.realpath(target.parent), target.name)
        if any(_is_of_run(real, parent) for parent in real.parents):
            return "is a file of a run"
        return None


def _is_of_run(target, folder):
    run = RunFolder(folder)
    if not run.recipe_path.is_file():
        return False
    try:
        run.recipe()
    except ValueError:
        return False
    return run.owns(target)
