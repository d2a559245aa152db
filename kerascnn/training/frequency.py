"""Parses the interval between checkpoints."""

import re

from kerascnn.arguments import UsageError

_UNITS = {"s": 1, "m": 60, "h": 3600}


def frequency(every):
    """Returns the number of steps and of seconds between checkpoints; one of them is `None`.

    Args:
        every: int, number of steps; or str, such as `"100"` (steps), `"30s"`, `"5m"` or `"1h"`.

    Raises:
        UsageError: for anything else.
    """
    match = re.fullmatch(r"(\d{1,9})([smh]?)", str(every), re.ASCII)
    if isinstance(every, bool) or match is None or not int(match[1]):
        raise UsageError(
            "`checkpoint_every` must be a number of steps or a time in seconds, minutes or hours, "
            f"such as 100, '30s', '5m' or '1h'; got {every!r}."
        )
    number, unit = int(match[1]), match[2]
    return (None, number * _UNITS[unit]) if unit else (number, None)
