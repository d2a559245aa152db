"""Looks at every file of a set once, so that a broken one is told of before the training."""

import warnings
from concurrent.futures import ThreadPoolExecutor

from kerascnn.data.images import UnreadableImageError


class SkippedImageWarning(UserWarning):
    """A broken image among good ones was left out."""


def readable(items, read, strict, faults=(UnreadableImageError,)):
    """Reads what is there and leaves out what cannot be used.

    Args:
        items: list of files, or whatever `read` takes.
        read: function of one of them that returns what is to be known of it.
        strict: bool, whether a fault is an error; otherwise the item is skipped with a
            `SkippedImageWarning`.
        faults: the errors of `read` that are faults.

    Returns:
        `{item: what was read}` of the good ones, in their order.
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
