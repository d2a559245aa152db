"""Requests that come together are computed together."""

import threading
import time
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np


@dataclass
class _Item:
    arrays: dict
    future: Future = field(default_factory=Future)
    since: float = field(default_factory=time.monotonic)

    @property
    def rows(self):
        return len(next(iter(self.arrays.values())))

    @property
    def size(self):
        return sum(array.size for array in self.arrays.values())

    @property
    def kind(self):
        """Items can share a call if only their numbers of rows differ."""
        return tuple(
            (name, array.dtype.str, array.shape[1:]) for name, array in sorted(self.arrays.items())
        )


class Batcher:
    """Calls a function on several items at a time, in a thread of its own.

    An idle batcher calls at once; what comes in meanwhile shares the next call, as far as shapes
    and types are equal. If a call of several items fails, each is called alone, so that only the
    wrong one gets the error.

    Args:
        function: function of a dict of arrays, with equal numbers of rows, that returns such a
            dict, a row for each.
        max_batch: int, rows of one call; a single item may have more.
        max_delay: float, seconds that the first item waits for a full batch.
        max_size: optional int, elements of all arrays of one call; a single item may have more.
        on_batch: optional function, called with the rows and seconds of each call.

    Example:
        >>> import numpy as np
        >>> batcher = Batcher(lambda arrays: {"y": arrays["x"] + 1})
        >>> batcher.submit({"x": np.array([1, 2])}).result()["y"].tolist()
        [2, 3]
        >>> batcher.close()
    """

    def __init__(self, function, max_batch=32, max_delay=0.0, max_size=None, on_batch=None):
        self._function, self._on_batch = function, on_batch
        self._max_batch, self._max_delay = max_batch, max_delay
        self._max_size = max_size or float("inf")
        self._waiting = deque()
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="batcher", daemon=True)
        self._thread.start()

    def submit(self, arrays):
        """Adds an item and returns a `concurrent.futures.Future` of its dict of outputs.

        Raises:
            RuntimeError: if the batcher is closed.
        """
        item = _Item(arrays)
        with self._changed:
            if self._closed:
                raise RuntimeError("The batcher is closed.")
            self._waiting.append(item)
            self._changed.notify()
        return item.future

    def close(self):
        """Computes what waits, then ends the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _work(self):
        while (items := self._next()) is not None:
            live = [item for item in items if item.future.set_running_or_notify_cancel()]
            if live:
                self._call(live)

    def _next(self):
        """Waits for items and takes the items of one call; `None` at the end."""
        with self._changed:
            while not self._waiting:
                if self._closed:
                    return None
                self._changed.wait()
            self._wait_for_more()
            kind, rows, size = self._waiting[0].kind, 0, 0
            taken, left = [], deque()
            for item in self._waiting:
                fits = rows + item.rows <= self._max_batch and size + item.size <= self._max_size
                if item.kind == kind and (fits or not taken):
                    taken.append(item)
                    rows, size = rows + item.rows, size + item.size
                else:
                    left.append(item)
            self._waiting = left
            return taken

    def _wait_for_more(self):
        until = self._waiting[0].since + self._max_delay
        while not self._closed and sum(item.rows for item in self._waiting) < self._max_batch:
            remaining = until - time.monotonic()
            if remaining <= 0:
                break
            self._changed.wait(remaining)

    def _call(self, items):
        try:
            outputs = self._outputs(items)
        except BaseException as error:  # whatever it is, the thread must stay
            if len(items) == 1:
                items[0].future.set_exception(error)
                return
            for item in items:
                self._call([item])
            return
        for item, found in zip(items, outputs, strict=True):
            item.future.set_result(found)

    def _outputs(self, items):
        """Returns the outputs of each item, computed in one call."""
        names = list(items[0].arrays)
        joined = (
            items[0].arrays
            if len(items) == 1
            else {name: np.concatenate([item.arrays[name] for item in items]) for name in names}
        )
        rows = [item.rows for item in items]
        begin = time.monotonic()
        found = self._function(joined)
        if self._on_batch is not None:
            self._on_batch(sum(rows), time.monotonic() - begin)
        for name, array in found.items():
            if array.ndim == 0 or len(array) != sum(rows):
                raise ValueError(
                    f"The model must return a row of {name!r} for each of {sum(rows)} rows; got "
                    f"shape {array.shape}."
                )
        ends = np.cumsum(rows)
        return [
            {name: array[end - count : end] for name, array in found.items()}
            for end, count in zip(ends, rows, strict=True)
        ]
