"""Reads every file of a dataset once, so that a broken one is reported before the training."""

import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

from kerascnn.data.images import UnreadableImageError

# A progress bar appears where reading takes longer than this, on a terminal.
_SECONDS = 2.0


class SkippedImageWarning(UserWarning):
    """A broken image of a dataset is left out."""


def readable(items, read, strict, faults=(UnreadableImageError,)):
    """Reads files and leaves out those that cannot be used.

    Args:
        items: list of files, or of other arguments of `read`.
        read: function of one item that returns what to know about it.
        strict: bool, whether a fault is an error; otherwise the item is skipped with a
            `SkippedImageWarning`.
        faults: the errors of `read` for an item that cannot be used.

    Returns:
        `{item: result of read}` of the good items, in their order.
    """

    def read_or_fault(item):
        try:
            return read(item)
        except faults as error:
            return error

    good = {}
    with ThreadPoolExecutor() as pool:
        results = zip(items, pool.map(read_or_fault, items), strict=True)
        try:
            for item, found in _with_progress(results, len(items)):
                if not isinstance(found, faults):
                    good[item] = found
                elif strict:
                    raise found
                else:
                    warnings.warn(f"Skipped: {found}", SkippedImageWarning, stacklevel=3)
        except BaseException:  # the other files need not be read any more
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return good


def _with_progress(results, count):
    """Yields results, with a bar on standard error if there is a terminal and time to see it."""
    if not sys.stderr.isatty():
        yield from results
        return
    from rich.console import Console
    from rich.progress import Progress

    began, bar = time.monotonic(), None
    console = Console(file=sys.stderr)
    try:
        for number, result in enumerate(results):
            if bar is None and time.monotonic() - began > _SECONDS:
                bar = Progress(console=console, transient=True)
                bar.start()
                task = bar.add_task("reading the images", total=count)
            if bar is not None:
                bar.update(task, completed=number)
            yield result
    finally:
        if bar is not None:
            bar.stop()
