"""Signals that end a command."""

import contextlib
import signal


class EndedBySignal(BaseException):
    """Raised when a signal ends the command.

    Args:
        sentence: str, what was saved and how to resume.
        exit_status: int.
    """

    def __init__(self, sentence, exit_status):
        super().__init__(sentence)
        self.exit_status = exit_status


@contextlib.contextmanager
def ended_by_signals():
    """Turns Ctrl+C and SIGTERM in the context into `EndedBySignal`."""
    from kerascnn.training.errors import Interrupted

    before = signal.signal(signal.SIGTERM, _terminated)
    try:
        yield
    except Interrupted as stopped:
        raise EndedBySignal(str(stopped), stopped.exit_status) from stopped
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def ended_by_sigterm(sentence):
    """Turns SIGTERM in the context into `EndedBySignal` with a sentence.

    The first process of a container needs it: without a handler, Linux does not hand it the signal.
    """

    def end(number, frame):
        raise EndedBySignal(sentence, 128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _terminated(number, frame):
    sentence = "SIGTERM: the same command, without --force, resumes a training."
    raise EndedBySignal(sentence, 128 + number)
