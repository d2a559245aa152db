"""Errors that end a training before its last epoch, and warnings."""

import signal
from pathlib import Path

from kerascnn.storage.checkpoints import BrokenCheckpointWarning
from kerascnn.storage.run_lock import RunInUseError

__all__ = [
    "BrokenCheckpointWarning",
    "DivergedError",
    "Interrupted",
    "OutOfMemoryError",
    "RunInUseError",
    "SilentImageWarning",
]


def __dir__():
    return __all__


class DivergedError(RuntimeError):
    """Raised when the loss or a weight is not finite."""


class OutOfMemoryError(RuntimeError):
    """Raised when a training step runs out of memory."""


class SilentImageWarning(UserWarning):
    """Warns that images without contrast, to which no cell responds, were left out."""


class Interrupted(KeyboardInterrupt):
    """Raised when a signal stops a training, after a checkpoint was written.

    Args:
        number: the signal, `SIGINT` (Ctrl+C) or `SIGTERM`.
        path: path of the last checkpoint, or `None`.
        command: str, what resumes the training.
    """

    def __init__(
        self, number: int, path: str | Path | None = None, command: str = "the same command"
    ) -> None:
        self.signal, self.path = signal.Signals(number), path
        where = f"the last checkpoint is {path}" if path else "there is no checkpoint yet"
        super().__init__(
            f"{self.signal.name}: the training stopped, and {where}; "
            f"{command} {'resumes it' if path else 'starts it again'}."
        )

    @property
    def exit_status(self) -> int:
        """The exit status of the process: 130 or 143, as in shells."""
        return 128 + self.signal


def is_full_disk(error):
    """Returns whether an error of TensorFlow means that a disk is full."""
    text = str(error).lower()
    return "no space left" in text or "disk quota exceeded" in text


def is_lack_of_memory(error):
    """Returns whether a backend's error means that memory ran out."""
    if is_full_disk(error):  # TensorFlow calls both an exhausted resource
        return False
    text = f"{type(error).__name__} {error}".lower()
    signs = ("out of memory", "outofmemory", "resource_exhausted", "resourceexhausted", "oom when")
    return isinstance(error, MemoryError) or any(sign in text for sign in signs)
