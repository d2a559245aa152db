"""Checks of arguments, and the error that a wrong one raises."""

import numbers
from collections.abc import Collection
from typing import Any


class UsageError(ValueError):
    """An argument, option or file of the caller is not what it must be.

    Other `ValueError`s come from libraries, or from a fault of this package.
    """


def one_of(value: Any, allowed: Collection[Any], name: str) -> Any:
    """Returns `value` if it belongs to the closed set `allowed`."""
    if value not in allowed:
        listed = ", ".join(repr(item) for item in allowed)
        raise UsageError(f"`{name}` must be one of {listed}; got {name}={value!r}.")
    return value


def pair(value: Any, name: str) -> tuple[int, int]:
    """Returns an int or a pair of ints, each at least 1, as a pair `(height, width)`."""
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
