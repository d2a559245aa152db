"""`recipe.json`: identifies a run, and records the versions of packages."""

import json
import platform
import re
from importlib.metadata import version

import keras

from kerascnn.arguments import UsageError

FORMAT = 1
_MARK = {"kerascnn": "run", "format": FORMAT}
# In bytes, much more than a real record
_LARGEST = 50_000_000
_PACKAGES = (
    "kerascnn",
    "keras",
    "tensorflow",
    "numpy",
    "pillow",
    "scikit-learn",
    "tensorflow-datasets",
)
# Keys of every run that is older than the format number.
_UNMARKED_TRAINING = {"epochs", "batch_size", "learning_rate"}
# Files of such a run with unmistakable names.
_UNMARKED_FILES = re.compile(
    r"recipe\.json|history\.csv|model\.keras|metrics\.json"
    r"|checkpoints/epoch_\d{4,}\.weights\.h5"
    r"|plots/(learning_curves|confusion_matrix|calibration|per_class|examples|overlays|comparison)"
    r"\.png"
    r"|examples/\d{5}_\w+\.png"
    r"|events/(train|validation)/events\.out\.tfevents\.[^/]+"
)


def new_record(recipe, command):
    """Returns the content of `recipe.json` for a new run.

    Raises:
        ValueError: if the recipe has a key that belongs to the record.
    """
    reserved = sorted(recipe.keys() & {*_MARK, "command", "versions"})
    if reserved:
        raise UsageError(
            f"`facts` must not have the key {reserved[0]!r}, which is reserved in `recipe.json`."
        )
    backend = keras.backend.backend()
    versions = {name: version(name) for name in dict.fromkeys((*_PACKAGES, backend))}
    versions["python"] = platform.python_version()
    versions["backend"] = backend
    return {**_MARK, "command": command, **recipe, "versions": versions}


def read_record(path):
    """Returns the content of a `recipe.json`, or of any other JSON file.

    Raises:
        ValueError: if it is not JSON.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError(f"of at most {_LARGEST:,} bytes")
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} must be JSON ({error}).") from error


def is_run(content, path):
    """Returns whether the content of a `recipe.json` belongs to a run.

    Runs that are older than the format number are identified by everything they record: command,
    training and the versions of all packages.

    Args:
        content: the content of the file.
        path: path of the file, for the error message.

    Raises:
        ValueError: if the run has a format that this version does not support.
    """
    if not isinstance(content, dict):
        return False
    if content.get("kerascnn") == _MARK["kerascnn"]:
        if content.get("format") != FORMAT:
            raise UsageError(
                f"{path} must have the format {FORMAT}; got format {content.get('format')!r}, "
                "which another version of kerascnn writes."
            )
        return True
    return "format" not in content and _is_unmarked(content)


def is_unmarked_file(relative):
    """Returns whether a run without a manifest writes files with this path below its folder."""
    return _UNMARKED_FILES.fullmatch(relative) is not None


def _is_unmarked(content):
    training, versions = content.get("training"), content.get("versions")
    return (
        isinstance(content.get("command"), str)
        and isinstance(training, dict)
        and training.keys() >= _UNMARKED_TRAINING
        and isinstance(versions, dict)
        and versions.keys() >= {*_PACKAGES, "python", "backend"}
        and all(isinstance(value, str) for value in versions.values())
    )
