"""Reads large JSON in a process of its own: Python's reader holds up all threads meanwhile.

A body of 15 MiB takes most of a second, in which nobody would get a reply. The process imports
neither TensorFlow nor Keras, and starts when it is first needed.
"""

import contextlib
import json
import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import numpy as np

# Smaller bodies are read at once, in a few milliseconds.
LARGE = 2**17
_MIN_NUMBERS = 1000


class JsonProcess:
    """Reads JSON; large arrays of numbers become NumPy arrays."""

    def __init__(self):
        self._lock = threading.Lock()
        self._pool = None

    def __call__(self, body):
        """Returns what a body has.

        Raises:
            ValueError: if it is not JSON.
            RecursionError: if it is nested too deeply.
        """
        if len(body) < LARGE:
            return json.loads(body)
        try:
            with _signals_blocked():
                reading = self._started().submit(_read, body)
            return reading.result()
        except BrokenProcessPool:  # such as for lack of memory; the next body gets a new one
            self.close()
            raise

    def _started(self):
        with self._lock:
            if self._pool is None:
                context = multiprocessing.get_context("spawn")
                self._pool = ProcessPoolExecutor(1, context, _start)
            return self._pool

    def close(self):
        """Ends the process."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)


_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def _signals_blocked():
    """Blocks signals in this thread, and so in a process that it starts, until `_start` runs."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start():
    """Prepares the process: the server ends it, also where both get a signal or it is killed."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    threading.Thread(target=_end_with_server, daemon=True).start()


def _end_with_server():
    multiprocessing.parent_process().join()
    os._exit(1)


def _read(body):
    return _compact(json.loads(body))


def _compact(value):
    """Replaces the large arrays of numbers in lists and dicts."""
    if isinstance(value, dict):
        return {key: _compact(item) for key, item in value.items()}
    if not isinstance(value, list):
        return value
    first, depth = value, 0
    while isinstance(first, list) and first and depth < 32:
        first, depth = first[0], depth + 1
    if isinstance(first, (int, float)) and not isinstance(first, bool):
        try:
            found = np.asarray(value)
        except (ValueError, OverflowError):
            return value  # ragged, which `to_array` reports
        if found.dtype.kind in "iuf" and found.size >= _MIN_NUMBERS:
            small = found.dtype.kind in "iu" and found.min() >= 0 and found.max() <= 255
            return found.astype(np.uint8) if small else found
        return value
    return [_compact(item) for item in value]
