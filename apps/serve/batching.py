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

# Calls that are expected to take less are made in the event loop: to hand a call to another thread
# and back costs more of the time of an event loop that is busy.
_SHORT_SECONDS = 0.003


@dataclass
class _Item:
    arrays: dict
    future: Future | asyncio.Future = field(default_factory=Future)
    loop: asyncio.AbstractEventLoop | None = None  # of the future, if it is one of asyncio
    since: float = field(default_factory=time.monotonic)
    alone: bool = False  # after a call of several items failed

    def begin(self):
        """Returns whether somebody still waits for the outputs."""
        if isinstance(self.future, Future):
            return self.future.running() or self.future.set_running_or_notify_cancel()
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
        arrays = sorted(self.arrays.items())
        shared = tuple((name, array.dtype.str, array.shape[1:]) for name, array in arrays)
        return (shared, id(self)) if self.alone else shared

    @property
    def is_text(self):
        """Whether the number of elements says nothing of the size."""
        return any(array.dtype.kind in "OSU" for array in self.arrays.values())


class _CallSeconds:
    """How long calls take, by the binary logarithms of their numbers of rows and of elements.

    It is the shortest of the last three of a kind: in a busy process, a call may also wait, for
    other threads or for the machine, which says nothing of the next one.
    """

    def __init__(self):
        self._last = defaultdict(lambda: deque(maxlen=3))

    def add(self, items, seconds):
        """Records a call."""
        self._last[_magnitude(items)].append(seconds)

    def expected(self, items):
        """Returns seconds; infinity if no call of about this size was made."""
        return min(self._last.get(_magnitude(items), ()), default=math.inf)


def _magnitude(items):
    rows, size = sum(item.rows for item in items), sum(item.size for item in items)
    return rows.bit_length(), size.bit_length()


class Batcher:
    """Calls a function on several items at a time; there is one call at a time.

    An idle batcher calls at once; what comes in meanwhile shares the next call, as far as shapes
    and types are equal. If a call of several items fails, each is called alone, so that only the
    wrong one gets the error. Calls are made in a thread of the batcher; for `compute`, calls that
    are expected to be short are made in the event loop.

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
        self._closed = False
        self._scheduled = None  # the event loop that is about to call `_call_here`
        self._changed = threading.Condition()
        self._calling = threading.Lock()  # runtimes need not bear two calls at a time
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
        is_short = self._is_short([item])
        self._add(item, wake=not is_short)
        if is_short:
            self._schedule(loop)
        return await item.future

    def _is_short(self, items):
        if self._max_delay or any(item.alone or item.is_text for item in items):
            return False
        return self._seconds.expected(items) < _SHORT_SECONDS

    def _add(self, item, wake=True):
        with self._changed:
            if self._closed:
                raise RuntimeError("The batcher is closed.")
            self._waiting.append(item)
            if wake:
                self._changed.notify()

    def _schedule(self, loop):
        if self._scheduled is not loop:
            self._scheduled = loop
            loop.call_soon(self._call_here, loop)

    def _call_here(self, loop):
        """Computes what waits; leaves it to the thread if it takes long or the thread is busy."""
        self._scheduled, results = None, []
        if self._calling.acquire(blocking=False):
            try:
                results = self._results(self._short_items(loop))
            finally:
                self._calling.release()
        with self._changed:
            if self._waiting and self._scheduled is None:
                self._changed.notify()
        _deliver(results, here=loop)

    def _short_items(self, loop):
        with self._changed:
            items = self._taken() if self._waiting else []
            if items and not self._is_short(items):
                self._waiting.extendleft(reversed(items))
                return []
            if self._waiting:
                self._schedule(loop)
            return items

    def close(self):
        """Computes what waits, then ends the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _work(self):
        while (items := self._next()) is not None:
            with self._calling:
                results = self._results(items)
            _deliver(results)

    def _next(self):
        """Waits for items and takes the items of one call; `None` at the end."""
        with self._changed:
            while not self._waiting:
                # A call in an event loop may leave its items to this thread.
                if self._closed and not self._calling.locked():
                    return None
                self._changed.wait(0.1 if self._closed else None)
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
        """Returns a triple of item, outputs and error for each item; one of the two is `None`.

        Items whose call fails together wait again, each alone.
        """
        items = [item for item in items if item.begin()]
        try:
            outputs = self._outputs(items) if items else []
        except BaseException as error:  # whatever it is, the thread must stay
            if len(items) == 1:
                return [(items[0], None, error)]
            for item in items:
                item.alone = True
            with self._changed:
                self._waiting.extendleft(reversed(items))
            return []
        return [(item, found, None) for item, found in zip(items, outputs, strict=True)]

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
        self._seconds.add(items, seconds)
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
        elif isinstance(error, StopIteration):  # asyncio's futures refuse it
            future.set_exception(RuntimeError(repr(error)))
        else:
            future.set_exception(error)
