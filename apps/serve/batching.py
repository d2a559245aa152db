"""Requests that come together are computed together."""

import asyncio
import contextlib
import math
import threading
import time
from collections import defaultdict, deque
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np

# To hand a call to another thread and back takes up to about a millisecond while the event loop is
# busy. Calls that are expected to be as short are made in the event loop.
_SHORT_SECONDS = 0.003


@dataclass
class _Item:
    arrays: dict
    future: Future | asyncio.Future = field(default_factory=Future)
    loop: asyncio.AbstractEventLoop | None = None  # of the future, if it is one of asyncio
    since: float = field(default_factory=time.monotonic)

    def begin(self):
        """Returns whether somebody still waits for the outputs."""
        if isinstance(self.future, Future):
            return self.future.set_running_or_notify_cancel()
        return not self.future.cancelled()

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


class _CallSeconds:
    """How long calls take, by the binary logarithm of their numbers of elements."""

    def __init__(self):
        self._expected = {}

    def add(self, size, seconds):
        """Records a call: a longer one counts at once, shorter ones little by little."""
        before = self._expected.get(size.bit_length(), seconds)
        self._expected[size.bit_length()] = max(seconds, 0.9 * before + 0.1 * seconds)

    def expected(self, size):
        """Returns seconds; infinity if no call of about this size was made."""
        return self._expected.get(size.bit_length(), math.inf)


class Batcher:
    """Calls a function on several items at a time, in a thread of its own.

    An idle batcher calls at once; what comes in meanwhile shares the next call, as far as shapes
    and types are equal. `compute` makes calls that are expected to be short in the event loop. If a
    call of several items fails, each is called alone, so that only the wrong one gets the error.

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
        self._seconds = _CallSeconds()
        self._closed = self._scheduled = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="batcher", daemon=True)
        self._thread.start()

    def submit(self, arrays):
        """Adds an item and returns a `concurrent.futures.Future` of its dict of outputs.

        Raises:
            RuntimeError: if the batcher is closed.
        """
        item = _Item(arrays)
        self._add(item)
        return item.future

    async def compute(self, arrays):
        """Returns the dict of outputs of an item, as `submit` does, to a coroutine.

        The outputs of a call reach the event loop together: if its thread were woken for each of
        them, the threads would take turns that often, and wait for each other. What comes in one
        round of the event loop shares a call, also where the call is made in the event loop.

        Raises:
            RuntimeError: if the batcher is closed.
        """
        loop = asyncio.get_running_loop()
        item = _Item(arrays, loop.create_future(), loop)
        short = not self._max_delay and self._seconds.expected(item.size) < _SHORT_SECONDS
        self._add(item, wake=not short)
        if short and not self._scheduled:
            self._scheduled = True
            loop.call_soon(self._call_here, loop)
        return await item.future

    def _add(self, item, wake=True):
        with self._changed:
            if self._closed:
                raise RuntimeError("The batcher is closed.")
            self._waiting.append(item)
            if wake:
                self._changed.notify()

    def _call_here(self, loop):
        """Computes what waits in the event loop, or wakes the thread if that takes long."""
        with self._changed:
            items = self._taken() if self._waiting else []
            is_short = self._seconds.expected(sum(item.size for item in items)) < _SHORT_SECONDS
            if items and not is_short:
                self._waiting.extendleft(reversed(items))
                self._changed.notify()
                items = []
                self._scheduled = False
            else:
                self._scheduled = bool(self._waiting)
        if self._scheduled:
            loop.call_soon(self._call_here, loop)
        live = [item for item in items if item.begin()]
        if live:
            _deliver(self._results(live), here=loop)

    def close(self):
        """Computes what waits, then ends the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _work(self):
        while (items := self._next()) is not None:
            live = [item for item in items if item.begin()]
            if live:
                _deliver(self._results(live))

    def _next(self):
        """Waits for items and takes the items of one call; `None` at the end."""
        with self._changed:
            while not self._waiting:
                if self._closed:
                    return None
                self._changed.wait()
            self._wait_for_more()
            return self._taken()

    def _taken(self):
        """Takes the items of one call."""
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

    def _results(self, items):
        """Returns a triple of item, outputs and error for each item; one of the two is `None`."""
        try:
            return [
                (item, outputs, None)
                for item, outputs in zip(items, self._outputs(items), strict=True)
            ]
        except BaseException as error:  # whatever it is, the thread must stay
            if len(items) == 1:
                return [(items[0], None, error)]
            return [result for item in items for result in self._results([item])]

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
        seconds = time.monotonic() - begin
        self._seconds.add(sum(item.size for item in items), seconds)
        if self._on_batch is not None:
            self._on_batch(sum(rows), seconds)
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


def _deliver(results, here=None):
    """Hands each item its outputs or its error, and all items of an event loop at once.

    Args:
        here: optional event loop of this thread.
    """
    of_loops = defaultdict(list)
    for item, outputs, error in results:
        of_loops[item.loop].append((item.future, outputs, error))
    for loop, some in of_loops.items():
        if loop is here or loop is None:
            _set(some)
        else:
            with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody waits
                loop.call_soon_threadsafe(_set, some)


def _set(results):
    for future, outputs, error in results:
        if future.cancelled():
            continue
        if error is None:
            future.set_result(outputs)
        else:
            future.set_exception(error)
