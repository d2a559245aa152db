"""A folder of checkpoints, such as `epoch_0007_batch_000120.state`; the last two are kept."""

import re
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kerascnn.storage.atomic_write import atomic_write
from kerascnn.storage.state_file import BrokenStateError, decode, encode

_NAME = re.compile(r"epoch_(\d{4,})_batch_(\d{6,})\.state", re.ASCII)
# Checkpoints of earlier versions, which lack a part of the state
_OLD_NAME = re.compile(r"epoch_(\d{4,})\.weights\.h5", re.ASCII)
# The second is a backup in case the disk damages the first.
_KEPT = 2


class BrokenCheckpointWarning(UserWarning):
    """Warns that a checkpoint, or a file restored from one, cannot be used."""


@dataclass(frozen=True)
class Checkpoint:
    """The state of a training.

    Args:
        epoch: int, number of completed epochs.
        batch: int, number of completed batches of the next epoch.
        arrays: `{name: numpy array}`.
        facts: other state, as JSON values.
        path: path of the file.
    """

    epoch: int
    batch: int
    arrays: dict[str, Any]
    facts: dict[str, Any] = field(default_factory=dict)
    path: Path | None = None


class Checkpoints:
    """The checkpoints of a training.

    Args:
        folder: path of their folder.
        writing: context manager from a path to a temporary path, such as `atomic_write`.
        owns: function that returns whether the training wrote the file at a path.
        saved: function that is called after a checkpoint is written.
    """

    def __init__(self, folder, writing=atomic_write, owns=lambda path: True, saved=lambda: None):
        self.folder = Path(folder)
        self._writing, self._owns, self._saved = writing, owns, saved

    @classmethod
    def of_run(cls, run):
        """Returns the checkpoints of a `RunFolder`."""
        # After the first checkpoint, the earlier run in this folder is no longer needed.
        return cls(run.checkpoints, run.writing, run.owns, run.delete_replaced)

    def places(self):
        """Returns `{path: (epochs, batches)}`, oldest first, without files that the user added."""
        found = {path: place for path, place in named(self.folder).items() if self._owns(path)}
        return dict(sorted(found.items(), key=lambda item: item[1]))

    def last(self):
        """Returns the path of the newest checkpoint, or `None`."""
        return next(reversed(self.places()), None)

    def save(self, checkpoint):
        """Writes a checkpoint atomically, then removes all except the last two.

        Returns:
            path of the file.

        Raises:
            OSError: if it cannot be written; the earlier ones are unchanged.
        """
        path = self.folder / f"epoch_{checkpoint.epoch:04d}_batch_{checkpoint.batch:06d}.state"
        place = {"epoch": checkpoint.epoch, "batch": checkpoint.batch}
        content = encode(checkpoint.arrays, {**checkpoint.facts, **place})
        with self._writing(path, size=len(content)) as temporary:
            temporary.write_bytes(content)
        here = (checkpoint.epoch, checkpoint.batch)
        older = [other for other, found in self.places().items() if found < here]
        # Later checkpoints belong to a training whose last checkpoint was damaged.
        ahead = [other for other, found in self.places().items() if found > here]
        for other in (*older[: 1 - _KEPT], *ahead, *_old(self.folder)):
            if self._owns(other):
                other.unlink(missing_ok=True)
        self._saved()
        return path

    def load(self):
        """Returns the newest intact `Checkpoint`, or `None`; warns about damaged ones."""
        for path, (epoch, batch) in reversed(self.places().items()):
            try:
                arrays, facts = decode(path.read_bytes())
                if (facts["epoch"], facts["batch"]) != (epoch, batch):
                    raise BrokenStateError("its name belongs to another checkpoint")
            except (BrokenStateError, KeyError, TypeError, OSError) as error:
                _warn(f"{path} cannot be used ({error}); the previous checkpoint is used.")
                continue
            return Checkpoint(epoch, batch, arrays, facts, path)
        if self.places():
            _warn(f"No checkpoint in {self.folder} can be used; the training starts again.")
        for path in _old(self.folder):
            if self._owns(path):
                _warn(
                    f"{path} was written by an earlier version of kerascnn and lacks a part of the "
                    "state; the training starts again."
                )
        return None


def named(folder):
    """Returns `{path: (epochs, batches)}` of all files with a checkpoint's name in a folder."""
    matches = ((path, _NAME.fullmatch(path.name)) for path in Path(folder).glob("epoch_*.state"))
    return {path: (int(match[1]), int(match[2])) for path, match in matches if match}


def last_checkpoint(run: Any) -> tuple[int, Path | None]:
    """Returns `(completed epochs, path)` of a run's newest checkpoint, or `(0, None)`."""
    places = Checkpoints.of_run(run).places()
    return max(((epoch, path) for path, (epoch, _) in places.items()), default=(0, None))


def _old(folder):
    paths = Path(folder).glob("epoch_*.weights.h5")
    return [path for path in paths if _OLD_NAME.fullmatch(path.name)]


def _warn(sentence):
    warnings.warn(sentence, BrokenCheckpointWarning, stacklevel=3)
