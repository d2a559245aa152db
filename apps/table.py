"""Tables on the terminal."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

# Names are wrapped at no fewer characters.
_NAMES = 20


def print_table(headings, rows):
    """Prints rows of text: names on the left, wrapped if needed, and numbers on the right."""
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    table.add_column(headings[0], overflow="fold")
    for heading in headings[1:]:
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console = Console(markup=False, emoji=False, highlight=False)
    lengths = [max(map(len, column)) for column in zip(headings, *rows, strict=True)]
    if not console.is_terminal:  # a file or a pipe has no width to wrap names at
        console.width = 100 + lengths[0]
    # Lines that are longer than a terminal are better than numbers without their end.
    names = min(lengths[0], _NAMES)
    console.width = max(console.width, names + sum(length + 2 for length in lengths[1:]))
    console.print(table)
