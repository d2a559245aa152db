"""Signals that stop a training after its current step."""

import signal
import threading

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopSignals:
    """Records SIGINT and SIGTERM within the context; a second signal has its usual effect.

    Outside the main thread, where Python allows no handlers, signals have their usual effect.

    Attributes:
        received: the first signal received, or `None`.
    """

    def __init__(self):
        self.received = None
        self._before = {}

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *error):
        self._restore()

    def _note(self, number, frame):
        self.received = number
        self._restore()

    def _restore(self):
        while self._before:
            number, handler = self._before.popitem()
            # Python cannot restore a handler that was not set from Python.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
