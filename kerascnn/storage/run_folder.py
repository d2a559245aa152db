"""The folder of a run."""

import json
import os
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain, count
from pathlib import Path
from typing import Any

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


class BrokenMetricsWarning(UserWarning):
    """Warns that `metrics.json` cannot be read, so that the run writes it again."""


class RunFolder:
    """A folder with `recipe.json`, `history.csv`, `model.keras`, `metrics.json` and other files.

    A folder is `"new"` (absent, empty, or without a run after clearing), `"unfinished"` (a recipe
    but no metrics yet), `"finished"` or `"foreign"` (not empty, and not a run). Files are written
    atomically. A run lists its files in `manifest.jsonl`, and never overwrites or removes other
    files.

    Args:
        path: str or path of the folder.
    """

    def __init__(self, path: str | Path) -> None:
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
    def state(self) -> str:
        """`"new"`, `"unfinished"`, `"finished"` or `"foreign"`."""
        if self._manifest.moving_to:  # a process was killed while clearing the run
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
        if self._manifest.exists:  # a run was cleared; if it left files, its recipe is lost
            return "foreign" if self._manifest.present() else "new"
        others = {entry.name for entry in self.path.iterdir()} - {LOCK_NAME, MANIFEST_NAME}
        return "foreign" if others else "new"

    def check_usable(self) -> None:
        """Raises an error if the folder cannot hold a run, before any work is done.

        Raises:
            FileExistsError: if the folder holds anything other than a run, or a file that the run
                did not write has the path of one that it will write.
            PermissionError: if it cannot be written to.
            NotADirectoryError: if a parent is a file.
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
                f"{self.path} has files that do not belong to a run, and they are not changed; "
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
                f"{in_the_way[0]} is not a file of the run in {self.path}, and it is not changed; "
                "move it elsewhere, or choose another folder."
            )

    @contextmanager
    def locked(self, command: str = "") -> Iterator[None]:
        """Prevents other processes from training in the folder or clearing it, within the context.

        Args:
            command: str, shown to these processes.

        Raises:
            RunInUseError: if another process is training in the folder.
            FileExistsError: if the folder holds anything other than a run.
        """
        self.check_usable()
        with self._lock.held(command):
            if self._manifest.moving_to:
                run_clearing.move_aside(self.path, self._manifest, self.recipe_path.name)
            yield

    def begin(self, recipe: dict[str, Any], command: str = "") -> None:
        """Writes `recipe.json`, or checks that an unfinished run has the same one.

        Args:
            recipe: dict, everything that determines the result of the run.
            command: str, the command that started the run, for information.

        Raises:
            FileExistsError: if the folder holds anything else.
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
            if os.path.lexists(self.metrics_path) and not _is_json_object(self.metrics_path):
                warnings.warn(
                    f"{self.metrics_path} is damaged, and is written again.",
                    BrokenMetricsWarning,
                    stacklevel=2,
                )
            for leftover in leftovers(self.path, self._owner):
                shutil.rmtree(leftover)

    def _check_same(self, recipe):
        """Raises an error for another recipe; additional epochs extend the run."""
        found, recipe = self.recipe(), upgraded(recipe)
        before = found.get("training", {}).get("epochs")
        backend = found.get("versions", {}).get("backend")
        if backend not in (None, keras.backend.backend()):
            raise FileExistsError(
                f"{self.path} has a run that was started with the backend {backend!r}; got "
                f"{keras.backend.backend()!r}: choose another folder, or clear this one (--force)."
            )
        different = [key for key in recipe if _differs(found.get(key), recipe[key])]
        same = {**recipe, "training": {**recipe.get("training", {}), "epochs": before}}
        only_epochs = different == ["training"] and found["training"] == same["training"]
        if only_epochs and recipe["training"]["epochs"] > before and self.is_complete(before):
            # In this order, so that the same command also extends the run after a kill in between.
            self.metrics_path.unlink(missing_ok=True)
            content = read_record(self.recipe_path)
            epochs = [*content.get("extended_from", []), before]
            longer = {**content, "training": recipe["training"], "extended_from": epochs}
            self.write_json(self.recipe_path, longer)
            return
        if different == ["data"] and _differs_in_content(found.get("data"), recipe["data"]):
            raise FileExistsError(
                f"{self.path} has a run that was started with other images, labels or splits of "
                f"{recipe['data'].get('name')}; restore them, choose another folder, or clear this "
                "one (--force)."
            )
        if different:
            raise FileExistsError(
                f"{self.path} has a run that was started with another {' and '.join(different)}; "
                "choose another folder, or clear this one (--force)."
            )

    def is_complete(self, epochs: int) -> bool:
        """Returns whether a run of this many epochs has completed the last one."""
        return last_checkpoint(self)[0] >= epochs

    def clear(self) -> Path | None:
        """Moves the files of the run, finished or not, to `FOLDER.old-N` next to its folder.

        All other files stay in place, including `export/`. The folder can then be used for a new
        run, which deletes `FOLDER.old-N` with `delete_replaced`.

        Returns:
            `pathlib.Path` of the folder with the earlier run, or `None` if there was no run.

        Raises:
            FileExistsError: if the folder holds anything other than a run.
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
    def replaced(self) -> list[Path]:
        """Returns the folders of earlier runs that were cleared for this one and still exist."""
        return run_clearing.replaced(self.path, self._manifest)

    def delete_replaced(self) -> None:
        """Deletes the earlier runs that were cleared for this one.

        Keeps files that were changed after the run wrote them, and files of runs that are older
        than the manifest.
        """
        run_clearing.delete_replaced(self.path, self._manifest)

    def _adopt(self):
        """Creates the manifest of a run without one, from the names of its files."""
        if self._manifest.exists:
            return
        self._check_unobstructed()
        paths = (path for path in sorted(self.path.rglob("*")) if not path.is_dir())
        names = (path.relative_to(self.path).as_posix() for path in paths)
        self._manifest.begin(files=[name for name in names if is_unmarked_file(name)])

    @property
    def _owner(self):
        return f"{self._manifest.run_id}-"

    def owns(self, path: str | Path) -> bool:
        """Returns whether the run has written the file at this path."""
        relative = path.relative_to(self.path).as_posix()
        if self._manifest.exists:
            return self._manifest.lists(relative)
        return is_unmarked_file(relative)

    def is_intact(self, path: str | Path) -> bool:
        """Returns whether a file of the run is unchanged, as far as known."""
        relative = path.relative_to(self.path).as_posix()
        if not self._manifest.exists:
            return path.is_file()
        return self._manifest.is_unchanged(relative)

    def free_path(self, path: str | Path) -> Path:
        """Returns a path that is shortened for the file system, and numbered if it exists.

        Args:
            path: path of a file that the run will write.

        Returns:
            `pathlib.Path` without a file, or of a file that the run has written.
        """
        path = shortened(path)
        numbered = (path.with_stem(f"{path.stem}-{number}") for number in count(2))
        return next(
            free
            for free in map(shortened, chain([path], numbered))
            if not os.path.lexists(free) or self.owns(free)
        )

    @contextmanager
    def writing(self, path: str | Path, size: int | None = None) -> Iterator[Path]:
        """Yields a temporary path; the file written there becomes a file of the run.

        Args:
            path: path below the folder.
            size: int, the number of bytes to write, if known.

        Raises:
            FileExistsError: if a file exists that the run has not written.
            WriteError: if the disk is full, read-only or damaged, or the folder was removed.
        """
        if path != self.recipe_path and not self.recipe_path.is_file():
            raise WriteError(
                f"{self.path} was removed or moved while in use: {self.recipe_path} no longer "
                "exists; run the same command again to start a new run."
            )
        if os.path.lexists(path) and not self.owns(path):
            raise FileExistsError(
                f"{path} is not a file of the run in {self.path}, and it is not changed; "
                "move it elsewhere, and run the same command again."
            )
        with explained(path, size):
            self._adopt()
        with explained(path, size), temporary_next_to(path, self._owner) as temporary:
            yield temporary
            relative = path.relative_to(self.path).as_posix()
            self._manifest.add(relative, digest_of(temporary))
            put_in_place(temporary, path)

    def list_events(self) -> None:
        """Lists the files that TensorBoard's callback writes in this process."""
        with explained(self._manifest.path):
            self._manifest.append({"files": f"events/*/events.out.tfevents.*.{os.getpid()}.*"})

    def recipe(self) -> dict[str, Any]:
        """Reads the content of `recipe.json`.

        Raises:
            FileNotFoundError: if the folder has no run.
            ValueError: if the file is not the recipe of a run.
        """
        if not self.recipe_path.is_file():
            raise FileNotFoundError(f"{self.path} is not a run: there is no {self.recipe_path}.")
        content = read_record(self.recipe_path)
        if not is_run(content, self.recipe_path):
            raise UsageError(f"{self.path} is not a run: {self.recipe_path} has other content.")
        return upgraded(content)

    def load_model(self) -> Any:
        """Loads the best model of the run.

        Raises:
            FileNotFoundError: if the folder has no run, or the run has no model yet.
            RuntimeError: if the model file is damaged.
        """
        self.recipe()
        if not self.model_path.is_file():
            raise FileNotFoundError(
                f"The run {self.path} has no model yet: there is no {self.model_path}."
            )
        try:
            return keras.saving.load_model(self.model_path)
        except Exception as error:  # the exception depends on the damage
            reason = str(error).strip().partition("\n")[0]
            raise RuntimeError(f"{self.model_path} cannot be loaded ({reason}).") from error

    def write_json(self, path: str | Path, content: Any) -> None:
        """Writes JSON atomically."""
        with self.writing(path) as temporary:
            temporary.write_text(json.dumps(content, indent=2) + "\n")

    def save_figure(self, name: str, figure: Any) -> Path:
        """Saves a Matplotlib figure under `plots/` and returns its path."""
        path = self.free_path(self.plots / f"{name}.png")
        with self.writing(path) as temporary:
            figure.savefig(temporary)
        return path


def _is_json_object(path):
    """Returns whether a file has a complete JSON object."""
    try:
        return isinstance(json.loads(path.read_bytes()), dict)
    except (OSError, ValueError, RecursionError):
        return False


def _differs_in_content(then, now):
    """Returns whether the data of two records differ in their fingerprint alone."""
    if not isinstance(then, dict) or not isinstance(now, dict):
        return False
    return not _differs({**then, "fingerprint": ""}, now)


def _differs(then, now):
    """Returns whether two parts of a record differ, except for information and what is unknown."""
    if not isinstance(then, dict) or not isinstance(now, dict):
        return then != now
    ignored = {"reading"}
    if not (then.get("fingerprint") and now.get("fingerprint")):  # of an earlier version
        ignored.add("fingerprint")
    return any(then.get(key) != now.get(key) for key in (then.keys() | now.keys()) - ignored)
