"""The models of a server: by name, in versions that come and go while it runs."""

import contextlib
import functools
import gc
import itertools
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kerascnn.arguments import UsageError
from kerascnn.export.formats import find_export, format_of
from kerascnn_apps.serve.batching import Batcher
from kerascnn_apps.serve.refusal import RefusedError

# Formats whose runtimes are faster than TensorFlow
_FASTER = (".onnx", ".xml")
_log = logging.getLogger("kerascnn.serve")


class Served:
    """A version of a model that takes requests, until it is drained.

    Args:
        name: str, of the model.
        version: int.
        exported: `Exported`.
        limits: `Limits`.
        on_batch: function of the model's name, and the rows and seconds of each call.
    """

    def __init__(self, name, version, exported, limits, on_batch):
        self.name, self.version, self.exported = name, version, exported
        self.max_pixels = exported.max_pixels(limits.max_pixels)
        self.batcher = Batcher(
            lambda arrays: exported(**arrays),
            limits.max_batch,
            limits.max_delay,
            max_size=4 * self.max_pixels,
            on_batch=functools.partial(on_batch, name),
        )
        self.users = 0  # requests, counted by `Model.use`

    def drain(self, seconds):
        """Waits until no request uses it, and ends its thread."""
        until = time.monotonic() + seconds
        while self.users and time.monotonic() < until:
            time.sleep(0.02)
        self.batcher.close()


class Model:
    """A folder of versions, or one version.

    Args:
        name: str.
        folder: path of a run, its export folder, or one version in it.
        limits: `Limits`.
        load: function of a path that returns an `Exported`.
        keep: int, how many of the newest versions are served.
        labels: optional dict of versions by label.

    Raises:
        FileNotFoundError: if there is no export.
        UsageError: if none can be loaded.
    """

    def __init__(self, name, folder, limits, load, keep=1, labels=None):
        self.name, self.labels = name, dict(labels or {})
        self.on_batch = None  # set by `Models.start`
        self._folder, self._limits, self._load, self._keep = Path(folder), limits, load, keep
        self.versions = {}  # replaced as a whole, so that it can be read from any thread
        self.failures = {}  # reasons by version
        self._stamps = {}  # of versions that are loaded, or could not be
        self._last_look = {}
        self._retired, self._retirements = {}, itertools.count()
        self._lock = threading.Lock()
        self._start_first()
        if not self.versions:
            raise UsageError(self.failures[max(self.failures)])

    def _wanted(self, more=0):
        return newest_versions(self._folder, self._keep + more, self.labels.values())

    def _start_first(self):
        """Starts the wanted versions; if none can be loaded, the newest that can."""
        tried = None
        for more in itertools.count():
            wanted = self._wanted(more)
            for number in sorted(set(wanted) - set(self.failures)):
                self._start(number, wanted[number])
            if self.versions or wanted == tried:
                return
            tried = wanted

    @contextlib.contextmanager
    def use(self, version=None, label=None):
        """Gives the `Served` of a version, which is not drained inside of the `with`.

        Raises:
            RefusedError: as `get` does.
        """
        with self._lock:
            served = self.get(version, label)
            served.users += 1
        try:
            yield served
        finally:
            with self._lock:
                served.users -= 1

    def get(self, version=None, label=None):
        """Returns the `Served` of a version, by default the newest.

        Raises:
            RefusedError: with status 404 if it is not served, with 400 for an unknown label, as
                TensorFlow Serving does.
        """
        if label is not None:
            if label not in self.labels:
                known = ", ".join(sorted(self.labels)) or "none"
                raise RefusedError(
                    400, f"Model {self.name!r} has no label {label!r}; its labels: {known}."
                )
            version = self.labels[label]
        versions = self.versions
        version = max(versions) if version is None else version
        if version not in versions:
            known = ", ".join(map(str, sorted(versions)))
            raise RefusedError(
                404, f"Model {self.name!r} has no version {version}; versions served: {known}."
            )
        return versions[version]

    def refresh(self):
        """Loads versions that are new or were written again, and drains those not wanted any more.

        Files count once two looks have found them the same: a version may be copied meanwhile.
        """
        try:
            wanted = self._wanted()
        except FileNotFoundError:
            return  # what is loaded needs no files
        stamps = {number: _stamp(path) for number, path in wanted.items()}
        for number, path in wanted.items():
            is_known = stamps[number] in (None, self._stamps.get(number))
            if not is_known and stamps[number] == self._last_look.get(number):
                self._start(number, path)
        self._last_look = stamps
        # Others stay as long as the wanted ones cannot be loaded.
        newest = sorted(wanted)[-self._keep :]  # without those that only have a label
        order = sorted(self.versions, key=lambda number: (number in newest, number), reverse=True)
        kept = {*order[: self._keep], *self.labels.values()}
        for number in sorted(set(self.versions) - kept):
            self._stop(number)

    @property
    def draining(self):
        """The numbers of versions that still have requests and take no new ones."""
        return [served.version for served in list(self._retired.values())]

    def close(self, seconds):
        """Drains all versions."""
        for served in self.versions.values():
            served.drain(seconds)

    def _seen(self, *figures):
        if self.on_batch is not None:
            self.on_batch(*figures)

    def _start(self, number, path):
        self._stamps[number] = _stamp(path)
        try:
            exported = self._load(path)
        except Exception as error:  # a broken version must not end those that work
            reason = str(error) if isinstance(error, UsageError) else f"{path}: {error!r}"
            self.failures[number] = reason
            _log.error(
                "version not loaded",
                extra={"fields": {"model": self.name, "version": number, "error": reason}},
            )
            return
        self.failures.pop(number, None)
        served = Served(self.name, number, exported, self._limits, self._seen)
        self._replace(number, {number: served})
        _log.info("version loaded", extra={"fields": {"model": self.name, "version": number}})

    def _stop(self, number):
        self._stamps.pop(number, None)
        self._replace(number, {})

    def _replace(self, number, by):
        """Drains a version, if it is served, and serves those in `by` from now on."""
        key = next(self._retirements)
        with self._lock:
            if number in self.versions:
                self._retired[key] = self.versions[number]  # the only reference, once it is drained
            others = {other: found for other, found in self.versions.items() if other != number}
            self.versions = others | by
        if key in self._retired:
            threading.Thread(target=self._drain, args=(key,), daemon=True).start()

    def _drain(self, key):
        limits, fields = self._limits, {"model": self.name, "version": self._retired[key].version}
        # A request begins to use a version before its body has arrived.
        self._retired[key].drain(limits.body_seconds + limits.request_seconds + 1)
        del self._retired[key]
        gc.collect()  # its memory, as the server seldom searches for garbage
        _log.info("version drained", extra={"fields": fields})


class Models:
    """The models of a server, and a thread that looks for new versions.

    Args:
        models: iterable of `Model`.
        poll_seconds: float, between two looks; 0 for none.
    """

    def __init__(self, models, poll_seconds=2.0):
        self._models = {model.name: model for model in models}
        self._poll_seconds = poll_seconds
        self._ended = threading.Event()
        self._reasons = {}  # by model
        self._thread = None

    def __iter__(self):
        return iter(self._models.values())

    def get(self, name=None):
        """Returns a `Model` by name, by default the only one.

        Raises:
            RefusedError: with 404 if there is none of this name, with 400 without a name if there
                are several.
        """
        known = ", ".join(self._models)
        if name is None:
            if len(self._models) > 1:
                raise RefusedError(400, f"Name a model with ?model=NAME; models served: {known}.")
            return next(iter(self._models.values()))
        if name not in self._models:
            raise RefusedError(404, f"There is no model {name!r}; models served: {known}.")
        return self._models[name]

    def newest(self):
        """Returns the name, the newest version and the platform of each model."""
        served = [model.get() for model in self]
        return [(model.name, model.version, model.exported.platform) for model in served]

    def start(self, on_batch=None):
        """Starts to look for new versions; `on_batch` is called as for `Served`."""
        for model in self._models.values():
            model.on_batch = on_batch
        if self._poll_seconds and self._thread is None:
            self._thread = threading.Thread(target=self._poll, name="versions", daemon=True)
            self._thread.start()

    def close(self, seconds):
        """Stops to look, and drains all models."""
        self._ended.set()
        with ThreadPoolExecutor(max(1, len(self._models))) as pool:
            list(pool.map(lambda model: model.close(seconds), self._models.values()))

    def _poll(self):
        while not self._ended.wait(self._poll_seconds):
            for model in self._models.values():
                try:
                    model.refresh()
                    self._reasons.pop(model.name, None)
                except Exception as error:  # such as a folder that cannot be read for a moment
                    self._report(model.name, error)

    def _report(self, name, error):
        """Logs an error once, until it is another one."""
        if self._reasons.get(name) != str(error):
            self._reasons[name] = str(error)
            _log.error(
                "versions not read",
                extra={"fields": {"model": name, "error": str(error)}},
                exc_info=not isinstance(error, (UsageError, OSError)),
            )


def newest_versions(folder, keep=1, also=()):
    """Returns `{number: path}` of the newest exports in a run or an export folder.

    A file of another format than SavedModel has no number; it counts as version 1, or as the newest
    version of its run if it is no older.

    Args:
        folder: path.
        keep: int, how many.
        also: numbers of further versions, where they are there.

    Raises:
        FileNotFoundError: if there is none.
    """
    newest = find_export(folder)
    if newest == Path(folder) or not newest.name.isdecimal():
        return {int(newest.name) if newest.name.isdecimal() else 1: newest}
    versions = {
        int(path.name): path
        for path in newest.parent.iterdir()
        if path.name.isdecimal() and format_of(path) is not None
    }
    last = max(versions)
    versions[last] = _faster(newest.parent, versions[last])
    numbers = {*sorted(versions, reverse=True)[:keep], *set(also).intersection(versions)}
    return {number: versions[number] for number in sorted(numbers)}


def _faster(folder, version):
    """Returns the file with the same model for a faster runtime, if a run has one that is no older.

    `kerascnn export RUN --format onnx` writes `RUN/export/RUN.onnx`.
    """
    for suffix in _FASTER:
        file = folder / f"{folder.resolve().parent.name}{suffix}"
        if file.is_file() and file.stat().st_mtime_ns >= _written(version):
            with contextlib.suppress(ModuleNotFoundError):
                format_of(file).runtime  # noqa: B018 - it is imported
                return file
    return version


def model_name(folder):
    """Returns the name of the model at a path: of the run, the export folder, or the file."""
    path = Path(folder).resolve()
    if path.is_file():
        return path.stem
    if path.name.isdecimal() and format_of(path) is not None:
        path = path.parent
    return (path.parent.name if path.name == "export" else path.name) or "model"


def _written(version):
    """Returns when a version was written, in nanoseconds."""
    return max(found.stat().st_mtime_ns for found in (version, *version.glob("*.pb")))


def _stamp(path):
    """Changes when any file of a version is written; `None` if it is gone."""
    try:
        files = sorted(path.rglob("*")) if path.is_dir() else [path, path.with_suffix(".bin")]
        found = [(file, file.stat()) for file in files if file.exists()]
    except OSError:
        return None
    return [(str(file), seen.st_size, seen.st_mtime_ns) for file, seen in found] or None
