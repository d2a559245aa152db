"""What the commands have in common: arguments, options, and the line that was typed."""

import json
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

Run = Annotated[Path, typer.Argument(help="Folder of a run, as `train` leaves it.")]
DataDir = Annotated[Path | None, typer.Option(help="TensorFlow Datasets' folder of prepared sets.")]
Force = Annotated[bool, typer.Option("--force", help="Clear the run that is in the folder.")]
Backend = Annotated[
    str | None, typer.Option(help="tensorflow, jax or torch; by default Keras's own setting.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def options(pairs):
    """`{name: value}` of words like `width=16` or `upsampling=bilinear`.

    Raises:
        ValueError: if a word has no `=`.
    """
    found = {}
    for pair in pairs or ():
        name, equals, value = pair.partition("=")
        if not (name and equals):
            raise ValueError(f"`--option` must be NAME=VALUE; got {pair!r}.")
        try:
            found[name] = json.loads(value)
        except ValueError:  # a word
            found[name] = value
    return found


def command_line():
    """What the user typed."""
    return shlex.join(["kerascnn", *sys.argv[1:]])
