"""The folder that a training leaves behind."""

import json
import os
import shutil
from contextlib import contextmanager
from itertools import chain, count
from pathlib import Path

import keras

from kerascnn.arguments import UsageError
from kerascnn.storage import run_clearing
from kerascnn.storage.atomic_write import (
    WriteError,
    explained,
    leftovers,
    put_in_place,
    temporary_next_to,
)
from kerascnn.storage.checkpoints import last_checkpoint, named
from kerascnn.storage.file_names import shortened
from kerascnn.storage.older_records import upgraded
from kerascnn.storage.run_lock import LOCK_NAME, RunLock
from kerascnn.storage.run_manifest import MANIFEST_NAME, Manifest, digest_of
from kerascnn.storage.run_record import is_run, is_unmarked_file, new_record, read_record


class RunFolder:
    """`recipe.json`, `history.csv`, `model.keras`, `metrics.json` and so on, each written whole.

    A folder is `"new"` (absent, empty, or without a run since one was cleared), `"unfinished"` (a
    recipe but no metrics yet), `"finished"` or `"foreign"` (not empty, and not a run). A run lists
    the files that it writes in `manifest.jsonl`: nothing else is ever overwritten or removed.

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
        self._manifest = Manifest(self.path)
        self._lock = RunLock(self.path)

    @property
    def state(self):
        """`"new"`, `"unfinished"`, `"finished"` or `"foreign"`."""
        if self._manifest.moving_to:  # a process was killed while it cleared the run
            return "unfinished"
        if self.recipe_path.is_file():
            if not is_run(read_record(self.recipe_path), self.recipe_path):
                return "foreign"
            finished = self.owns(self.metrics_path) and _is_json_object(self.metrics_path)
            return "finished" if finished else "unfinished"
        if not self.path.exists():
            return "new"
        if not self.path.is_dir() or self._manifest.is_foreign:
            return "foreign"
        if self._manifest.exists:  # a run was cleared; if files of it are left, its recipe is lost
            return "foreign" if self._manifest.present() else "new"
        others = {entry.name for entry in self.path.iterdir()} - {LOCK_NAME, MANIFEST_NAME}
        return "foreign" if others else "new"

    def check_usable(self):
        """Raises an error if a run cannot be kept here, before any work is done for it.

        Raises:
            FileExistsError: if the folder holds something else than a run, or a file that the run
                has not written is in the way of one that it will write.
            PermissionError: if it cannot be written to.
            NotADirectoryError: if it is below a file.
            ValueError: if its name is not UTF-8, which TensorFlow needs.
            RunInUseError: if another process is training in it.
        """
        try:
            str(self.path).encode()
        except UnicodeEncodeError as error:
            raise UsageError(
                f"The name of the folder must be UTF-8; got {self.path}: choose another name."
            ) from error
        if self.state == "foreign":
            raise FileExistsError(
                f"{self.path} holds files that do not belong to a run and are left alone; "
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
        self._check_unobstructed()
        self._lock.check_free()

    def _check_unobstructed(self):
        files = (self.history_path, self.model_path, self.metrics_path)
        in_the_way = [path for path in files if os.path.lexists(path) and not self.owns(path)]
        folders = (self.checkpoints, self.plots, self.examples, self.events)
        in_the_way += [path for path in folders if os.path.lexists(path) and not path.is_dir()]
        in_the_way += [path for path in named(self.checkpoints) if not self.owns(path)]
        if self._manifest.is_foreign:
            in_the_way.append(self._manifest.path)
        if in_the_way:
            raise FileExistsError(
                f"{in_the_way[0]} is not a file of the run in {self.path} and is left alone; "
                "move it elsewhere, or choose another folder."
            )

    @contextmanager
    def locked(self, command=""):
        """Keeps other processes from training in the folder, or clearing it, in the context.

        Args:
            command: str, shown to whoever tries.

        Raises:
            RunInUseError: if another process is training in the folder.
            FileExistsError: if the folder holds something else than a run.
        """
        self.check_usable()
        with self._lock.held(command):
            if self._manifest.moving_to:
                run_clearing.move_aside(self.path, self._manifest, self.recipe_path.name)
            yield

    def begin(self, recipe, command=""):
        """Writes `recipe.json`, or checks that an unfinished run was begun with the same one.

        Args:
            recipe: dict, what decides the outcome of the run.
            command: str, how the run was started, for people to read.

        Raises:
            FileExistsError: if the folder holds something else.
            RunInUseError: if another process is training in the folder.
        """
        recipe = json.loads(json.dumps(recipe))
        with self.locked(command):
            if self.state == "new":
                if not self._manifest.exists:
                    self._manifest.begin()
                self.write_json(self.recipe_path, new_record(recipe, command))
                return
            self._check_same(recipe)
            self._adopt()
            for leftover in leftovers(self.path, self._owner):
                shutil.rmtree(leftover)

    def _check_same(self, recipe):
        """Raises an error for another recipe; more epochs than are completed extend the run."""
        found, recipe = self.recipe(), upgraded(recipe)
        before = found.get("training", {}).get("epochs")
        different = [key for key in recipe if _decisive(found.get(key)) != _decisive(recipe[key])]
        same = {**recipe, "training": {**recipe.get("training", {}), "epochs": before}}
        only_epochs = different == ["training"] and found["training"] == same["training"]
        if only_epochs and recipe["training"]["epochs"] > before and self.is_complete(before):
            # In this order: killed in between, the same command extends the run as well.
            self.metrics_path.unlink(missing_ok=True)
            content = read_record(self.recipe_path)
            epochs = [*content.get("extended_from", []), before]
            longer = {**content, "training": recipe["training"], "extended_from": epochs}
            self.write_json(self.recipe_path, longer)
            return
        if different:
            raise FileExistsError(
                f"{self.path} holds a run that was begun with another {' and '.join(different)}; "
                "choose another folder, or clear this one (--force)."
            )

    def is_complete(self, epochs):
        """Whether a run of so many epochs has a checkpoint behind its last one, or is finished."""
        behind = last_checkpoint(self)[0]
        return behind >= epochs or (behind > 0 and self.state == "finished")

    def clear(self):
        """Moves the files of the run, finished or not, to `FOLDER.old-N` next to its folder.

        All other files stay where they are, `export/` included. The folder can then be used for a
        new run, which deletes `FOLDER.old-N` with `delete_replaced`.

        Returns:
            `pathlib.Path` of the folder with the earlier run, or `None` if there was no run.

        Raises:
            FileExistsError: if the folder holds something else than a run.
            RunInUseError: if another process is training in the folder.
        """
        self.check_usable()
        if not self.path.exists():
            return None
        with self.locked():
            if not self.recipe_path.is_file():
                return None
            self._adopt()
            for leftover in leftovers(self.path, self._owner):
                shutil.rmtree(leftover)
            return run_clearing.move_aside(self.path, self._manifest, self.recipe_path.name)

    @property
    def replaced(self):
        """Folders of the earlier runs that were cleared for this one and are still there."""
        return run_clearing.replaced(self.path, self._manifest)

    def delete_replaced(self):
        """Deletes the earlier runs that were cleared for this one.

        Files that were changed after the run wrote them, and files of runs that were begun before
        runs had a manifest, are kept.
        """
        run_clearing.delete_replaced(self.path, self._manifest)

    def _adopt(self):
        """Begins the manifest of a run without one: with what it has written by its names."""
        if self._manifest.exists:
            return
        self._check_unobstructed()
        paths = (path for path in sorted(self.path.rglob("*")) if not path.is_dir())
        names = (path.relative_to(self.path).as_posix() for path in paths)
        self._manifest.begin(files=[name for name in names if is_unmarked_file(name)])

    @property
    def _owner(self):
        return f"{self._manifest.run_id}-"

    def owns(self, path):
        """Whether the run has written the file of this path."""
        relative = path.relative_to(self.path).as_posix()
        if self._manifest.exists:
            return self._manifest.lists(relative)
        return is_unmarked_file(relative)

    def is_intact(self, path):
        """Whether a file of the run is as the run wrote it, as far as that is known."""
        relative = path.relative_to(self.path).as_posix()
        if not self._manifest.exists:
            return path.is_file()
        return self._manifest.is_unchanged(relative)

    def free_path(self, path):
        """The path, shortened to what the file system takes and numbered where it is taken.

        Args:
            path: path of a file that the run will write.

        Returns:
            `pathlib.Path` where no file is, or one that the run has written.
        """
        path = shortened(path)
        numbered = (path.with_stem(f"{path.stem}-{number}") for number in count(2))
        return next(
            free
            for free in map(shortened, chain([path], numbered))
            if not os.path.lexists(free) or self.owns(free)
        )

    @contextmanager
    def writing(self, path, size=None):
        """Yields a temporary path; what is written there becomes a file of the run.

        Args:
            path: path below the folder.
            size: int, the number of bytes to be written, where that is known.

        Raises:
            FileExistsError: if a file is there that the run has not written.
            WriteError: if the disk is full, read-only or broken, or the folder was removed.
        """
        if path != self.recipe_path and not self.recipe_path.is_file():
            raise WriteError(
                f"{self.path} was removed or moved while it was in use: there is no "
                f"{self.recipe_path} any more; give the same command again to start a new run."
            )
        if os.path.lexists(path) and not self.owns(path):
            raise FileExistsError(
                f"{path} is not a file of the run in {self.path} and is left alone; "
                "move it elsewhere, and give the same command again."
            )
        with explained(path, size):
            self._adopt()
        with explained(path, size), temporary_next_to(path, self._owner) as temporary:
            yield temporary
            relative = path.relative_to(self.path).as_posix()
            self._manifest.add(relative, digest_of(temporary))
            put_in_place(temporary, path)

    def list_events(self):
        """Lists the files that TensorBoard's callback writes in this process."""
        self._manifest.append({"files": f"events/*/events.out.tfevents.*.{os.getpid()}.*"})

    def recipe(self):
        """The content of `recipe.json`.

        Raises:
            FileNotFoundError: if the folder holds no run.
            ValueError: if the file is not the recipe of a run.
        """
        if not self.recipe_path.is_file():
            raise FileNotFoundError(f"{self.path} holds no run: there is no {self.recipe_path}.")
        content = read_record(self.recipe_path)
        if not is_run(content, self.recipe_path):
            raise UsageError(f"{self.path} holds no run: {self.recipe_path} is something else.")
        return upgraded(content)

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
        with self.writing(path) as temporary:
            temporary.write_text(json.dumps(content, indent=2) + "\n")

    def save_figure(self, name, figure):
        """Saves a Matplotlib figure under `plots/` and returns its path."""
        path = self.free_path(self.plots / f"{name}.png")
        with self.writing(path) as temporary:
            figure.savefig(temporary)
        return path


def _is_json_object(path):
    """Whether a file has an object of JSON: one that was cut has not."""
    try:
        return isinstance(json.loads(path.read_bytes()), dict)
    except (OSError, ValueError, RecursionError):
        return False


def _decisive(part):
    """Returns a part of a record without what is there for people to read."""
    if not isinstance(part, dict):
        return part
    return {key: value for key, value in part.items() if key != "reading"}
