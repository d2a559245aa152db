"""Names that fit into a plot."""

import unicodedata


def shortened(name: str, longest: int = 40) -> str:
    """Cuts the end of a name that is too long.

    Args:
        name: str.
        longest: int, the largest width in letters, of which a Chinese character has two.

    Returns:
        str.
    """
    name = str(name)  # numbers are names, too
    if name_width(name) <= longest:
        return name
    while name_width(name) > longest - 1:
        name = name[:-1]
    return f"{name}…"


def name_width(name: str) -> int:
    """Returns the width of a name in letters."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in name)
