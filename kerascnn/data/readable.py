"""Reads every file of a dataset once, so that a broken one is reported before the training."""

import warnings
from concurrent.futures import ThreadPoolExecutor

from kerascnn.data.images import UnreadableImageError


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
        for item, found in zip(items, pool.map(read_or_fault, items), strict=True):
            if not isinstance(found, faults):
                good[item] = found
            elif strict:
                raise found
            else:
                warnings.warn(f"Skipped: {found}", SkippedImageWarning, stacklevel=3)
    return good
