"""How a training can end before its last epoch."""

import signal


class DivergedError(RuntimeError):
    """The loss or a weight is no longer a number."""


class OutOfMemoryError(RuntimeError):
    """A step needs more memory than there is."""


class Interrupted(KeyboardInterrupt):
    """A training was stopped by a signal, after it wrote a checkpoint.

    Args:
        number: the signal, `SIGINT` (Ctrl+C) or `SIGTERM`.
        path: path of the last checkpoint, or `None`.
    """

    def __init__(self, number, path=None):
        self.signal, self.path = signal.Signals(number), path
        where = f"the last checkpoint is {path}" if path else "there is no checkpoint yet"
        super().__init__(
            f"{self.signal.name}: the training has stopped and {where}; "
            f"the same command {'resumes' if path else 'starts it again'}."
        )

    @property
    def exit_status(self):
        """What a process ends with: 130 or 143, as shells have it."""
        return 128 + self.signal


def is_lack_of_memory(error):
    """Returns whether an error of a backend is a lack of memory."""
    text = f"{type(error).__name__} {error}".lower()
    signs = ("out of memory", "outofmemory", "resource_exhausted", "resourceexhausted", "oom when")
    return isinstance(error, MemoryError) or any(sign in text for sign in signs)
