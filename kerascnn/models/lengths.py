"""Lengths of the lists in a configuration."""

from collections.abc import Sized
from typing import Any

from kerascnn.arguments import UsageError


def one_for_each(config: Any, name: str, *others: str) -> None:
    """Checks that the lists `others` of a configuration are as long as the list `name`."""
    count = length(config, name)
    for other in others:
        if length(config, other) != count:
            raise UsageError(
                f"`{other}` must have one entry for each of `{name}`; "
                f"got {length(config, other)} and {count}."
            )


def entries(config: Any, count: int, *names: str) -> None:
    """Checks that lists of a configuration have `count` entries."""
    for name in names:
        if length(config, name) != count:
            raise UsageError(
                f"`{name}` must have {count} entries; got {name}={getattr(config, name)!r}."
            )


def length(config: Any, name: str) -> int:
    """Returns the length of a list of a configuration."""
    value = getattr(config, name)
    if not isinstance(value, Sized) or isinstance(value, str):
        raise UsageError(f"`{name}` must be a tuple; got {name}={value!r}.")
    return len(value)
