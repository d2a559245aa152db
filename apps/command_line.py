"""What the commands have in common: arguments, options, and the line that was typed."""

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


def command_line():
    """What the user typed."""
    return shlex.join(["kerascnn", *sys.argv[1:]])


def tell(errors):
    """Tells of files that could not be used, in a sentence each; the last ends the command."""
    for error in errors[:-1]:
        print(f"kerascnn: {error}", file=sys.stderr)
    if errors:
        raise errors[-1]
