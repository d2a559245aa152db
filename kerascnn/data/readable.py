"""Reads every file of a dataset once, to report damaged files before the training."""

import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

from kerascnn.data.images import UnreadableImageError

# A progress bar appears on a terminal if reading takes longer than this, in seconds.
_SECONDS = 2.0


class SkippedImageWarning(UserWarning):
    """Warns that a damaged image of a dataset is skipped."""


def readable(items, read, strict, faults=(UnreadableImageError,)):
    """Reads files, and leaves out files that cannot be used.

    Args:
        items: list of files, or of other arguments for `read`.
        read: function of one item that returns its properties.
        strict: bool, whether a fault is an error; otherwise the item is skipped with a
            `SkippedImageWarning`.
        faults: the errors that `read` raises for an unusable item.

    Returns:
        `{item: result of read}` of the usable items, in order.
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
            for item, found in with_progress(results, len(items)):
                if not isinstance(found, faults):
                    good[item] = found
                elif strict:
                    raise found
                else:
                    warnings.warn(f"Skipped: {found}", SkippedImageWarning, stacklevel=3)
        except BaseException:  # the other files need not be read
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return good


def with_progress(results, count):
    """Yields the items of an iterable, with a bar on standard error if that is a terminal.

    The bar appears when the work has taken two seconds.

    Args:
        results: iterable; an image is read for each item, before or after it is yielded.
        count: int, how many items there are.
    """
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
