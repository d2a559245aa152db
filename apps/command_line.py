"""What the commands have in common: arguments, options, and the line that was typed."""

import json
import re
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
Epochs = Annotated[int | None, typer.Option(help="Instead of the recipe's.")]
BatchSize = Annotated[int | None, typer.Option(help="Instead of the recipe's.")]
LearningRate = Annotated[float | None, typer.Option(help="Instead of the recipe's.")]
Precision = Annotated[
    str | None,
    typer.Option(help="float32, mixed_bfloat16 or mixed_float16; by default the recipe's."),
]
Seed = Annotated[int, typer.Option(help="Decides all that is random.")]
Images = Annotated[list[Path], typer.Argument(help="Image files, or folders of them.")]
Versions = Annotated[
    Path | None, typer.Option(help="Folder of the versions; by default RUN/export.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def options_of(words, name):
    """`{name: value}` of words like `width=16` or `upsampling=bilinear`.

    Args:
        words: list of str, or `None`.
        name: str, the option that they were given with.

    Raises:
        ValueError: if a word has no name before its `=`.
    """
    found = {}
    for word in words or ():
        key, equals, value = word.partition("=")
        if not (key and equals):
            raise ValueError(f"`{name}` must be NAME=VALUE; got {word!r}.")
        try:
            found[key] = json.loads(value)
        except ValueError:  # a word
            found[key] = value
    return found


def command_line():
    """What the user typed."""
    return shlex.join(["kerascnn", *sys.argv[1:]])


def readable(text):
    r"""A message in which the bytes of a file name that are not UTF-8 are written as `\xff`."""
    # Python has them as U+DC80 to U+DCFF.
    return re.sub("[\udc80-\udcff]", lambda byte: f"\\x{ord(byte[0]) - 0xDC00:02x}", text)


def tell(errors):
    """Tells of files that could not be used, in a sentence each; the last ends the command."""
    for error in errors[:-1]:
        print(f"kerascnn: {readable(str(error))}", file=sys.stderr)
    if errors:
        raise errors[-1]
