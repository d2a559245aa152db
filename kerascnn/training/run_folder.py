"""The folder that a training leaves behind."""

import json
import os
import platform
import shutil
import tempfile
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import keras

_PACKAGES = (
    "kerascnn",
    "keras",
    "tensorflow",
    "numpy",
    "pillow",
    "scikit-learn",
    "tensorflow-datasets",
)


# What a process that was killed while it wrote may leave behind.
_TEMPORARY = ".writing-"


@contextmanager
def written_whole(path):
    """Yields a temporary path beside `path`; it becomes `path` when nothing went wrong.

    Example:
        >>> import pathlib
        >>> import tempfile
        >>> import kerascnn
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with kerascnn.training.written_whole(f"{folder}/notes.txt") as temporary:
        ...         count = temporary.write_text("all or nothing")
        ...     print(pathlib.Path(folder, "notes.txt").read_text())
        all or nothing
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=_TEMPORARY, dir=path.parent))
    try:
        yield folder / path.name
        os.replace(folder / path.name, path)
    finally:
        shutil.rmtree(folder)


class RunFolder:
    """`recipe.json`, `history.csv`, `model.keras`, `metrics.json` and so on, each written whole.

    A folder is `"new"` (absent or empty), `"unfinished"` (a recipe but no metrics yet),
    `"finished"` or `"foreign"` (not empty, and without the recipe of a run).

    Args:
        path: str or path of the folder.
    """

    def __init__(self, path):
        self.path = Path(path)
        self.recipe_path = self.path / "recipe.json"
        self.history_path = self.path / "history.csv"
        self.model_path = self.path / "model.keras"
        self.metrics_path = self.path / "metrics.json"
        self.checkpoints = self.path / "checkpoints"
        self.plots = self.path / "plots"
        self.examples = self.path / "examples"
        self.events = self.path / "events"
        self.exports = self.path / "export"

    @property
    def state(self):
        """`"new"`, `"unfinished"`, `"finished"` or `"foreign"`."""
        if self.recipe_path.is_file() and "versions" in self.recipe():
            return "finished" if self.metrics_path.is_file() else "unfinished"
        if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            return "foreign"
        return "new"

    def check_usable(self):
        """Raises an error if a run cannot be kept here, before any work is done for it.

        Raises:
            FileExistsError: if the folder holds something else than a run.
            PermissionError: if it cannot be written to.
            NotADirectoryError: if it lies below a file.
        """
        if self.state == "foreign":
            raise FileExistsError(
                f"{self.path} holds files that are no run and are left alone; "
                "choose an empty or a new folder."
            )
        there = next(
            path for path in (self.path.absolute(), *self.path.absolute().parents) if path.exists()
        )
        if not there.is_dir():
            raise NotADirectoryError(f"{self.path} cannot be a folder: {there} is a file.")
        effective = os.access in os.supports_effective_ids
        if not os.access(there, os.W_OK | os.X_OK, effective_ids=effective):
            raise PermissionError(f"{self.path} cannot be written: {there} is read-only.")

    def begin(self, recipe, command=""):
        """Writes `recipe.json`, or checks that an unfinished run was begun with the same one.

        Args:
            recipe: dict, what decides the outcome of the run.
            command: str, how the run was started, for people to read.

        Raises:
            FileExistsError: if the folder holds something else.
        """
        self.check_usable()
        recipe = json.loads(json.dumps(recipe))
        if self.state == "new":
            backend = keras.backend.backend()
            versions = {name: version(name) for name in dict.fromkeys((*_PACKAGES, backend))}
            versions["python"] = platform.python_version()
            versions["backend"] = backend
            self.write_json(self.recipe_path, {"command": command, **recipe, "versions": versions})
            return
        found = self.recipe()
        different = [key for key in recipe if found.get(key) != recipe[key]]
        if different:
            raise FileExistsError(
                f"{self.path} holds a run that was begun with another {' and '.join(different)}; "
                "choose another folder, or clear this one (--force)."
            )
        for leftover in list(self.path.rglob(f"{_TEMPORARY}*")):
            shutil.rmtree(leftover)

    def clear(self):
        """Removes a run, finished or not; refuses a folder that holds anything else."""
        self.check_usable()
        if not self.path.exists():
            return
        own = set(vars(self).values())
        other = [
            path
            for path in sorted(self.path.iterdir())
            if path not in own and not path.name.startswith(_TEMPORARY)
        ]
        if other:
            raise FileExistsError(
                f"{self.path} holds {other[0].name} beside its run and is left alone; "
                "choose another folder."
            )
        shutil.rmtree(self.path)

    def recipe(self):
        """The content of `recipe.json`.

        Raises:
            FileNotFoundError: if the folder holds no run.
            ValueError: if the file is no JSON.
        """
        if not self.recipe_path.is_file():
            raise FileNotFoundError(f"{self.path} holds no run: there is no {self.recipe_path}.")
        try:
            return json.loads(self.recipe_path.read_text())
        except ValueError as error:
            raise ValueError(f"{self.recipe_path} must be JSON ({error}).") from error

    def load_model(self):
        """The best model of the run.

        Raises:
            FileNotFoundError: if the folder holds no run, or one that has no model yet.
            RuntimeError: if the file of the model is broken.
        """
        self.recipe()
        if not self.model_path.is_file():
            raise FileNotFoundError(
                f"{self.path} holds a run without a model yet: there is no {self.model_path}."
            )
        try:
            return keras.saving.load_model(self.model_path)
        except Exception as error:  # what a broken file raises depends on where it is broken
            reason = str(error).strip().partition("\n")[0]
            raise RuntimeError(f"{self.model_path} cannot be loaded ({reason}).") from error

    def write_json(self, path, content):
        """Writes JSON whole or not at all."""
        with written_whole(path) as temporary:
            temporary.write_text(json.dumps(content, indent=2) + "\n")

    def save_figure(self, name, figure):
        """Saves a Matplotlib figure under `plots/` and returns its path."""
        path = self.plots / f"{name}.png"
        with written_whole(path) as temporary:
            figure.savefig(temporary)
        return path
