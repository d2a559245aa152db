"""Signals that end a training at its next step."""

import signal
import threading

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopSignals:
    """Notes SIGINT and SIGTERM in the context; a second one has its usual effect.

    Outside of the main thread, where Python allows no handlers, signals keep their usual effect.

    Attributes:
        received: the first signal, or `None`.
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
            # A handler that was not set from Python cannot be set again from there.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
