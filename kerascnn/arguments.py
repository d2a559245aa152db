"""Checks of arguments, and the error for invalid arguments."""

import numbers
from collections.abc import Collection
from typing import Any


class UsageError(ValueError):
    """Raised when an argument, option or file of the caller is invalid.

    Other `ValueError`s come from libraries, or from a bug in this package.
    """


def one_of(value: Any, allowed: Collection[Any], name: str) -> Any:
    """Returns `value` if it is one of `allowed`."""
    if value not in allowed:
        listed = ", ".join(repr(item) for item in allowed)
        raise UsageError(f"`{name}` must be one of {listed}; got {name}={value!r}.")
    return value


def pair(value: Any, name: str) -> tuple[int, int]:
    """Converts an int or a pair of ints, each at least 1, to a pair `(height, width)`."""
    sizes = (value, value) if isinstance(value, numbers.Integral) else value
    if (
        not isinstance(sizes, (tuple, list))
        or len(sizes) != 2
        or not all(isinstance(size, numbers.Integral) and size >= 1 for size in sizes)
    ):
        raise UsageError(
            f"`{name}` must be an int or a pair of ints, each at least 1; got {name}={value!r}."
        )
    return int(sizes[0]), int(sizes[1])


def at_least_one(value: Any, name: str) -> int:
    """Returns an int that is at least 1."""
    if not isinstance(value, numbers.Integral) or value < 1:
        raise UsageError(f"`{name}` must be an int of at least 1; got {name}={value!r}.")
    return int(value)


def not_empty(values: Any, name: str) -> Any:
    """Returns a sequence or array that has at least one entry."""
    if len(values) == 0:
        raise UsageError(f"`{name}` must have at least one entry; got none.")
    return values
