"""Show what a model consists of and costs: a model by name, or one that was saved.

    kerascnn summary lenet5 --input-shape 32,32,3 --num-classes 4
    kerascnn summary runs/mnist

A name of `kerascnn models` comes before a file of that name.
"""

from pathlib import Path
from typing import Annotated

import typer


def summary(
    model: Annotated[
        str, typer.Argument(help="Name of a model, a .keras file, or a folder with model.keras.")
    ],
    input_shape: Annotated[
        str | None, typer.Option(help="Such as 32,32,3; by default the model's own.")
    ] = None,
    num_classes: Annotated[
        int | None, typer.Option(help="For a model by name; 10 by default.")
    ] = None,
):
    """List the layers of a model with parameters, multiply-adds and receptive fields."""
    shape = None if input_shape is None else parsed_shape(input_shape)
    from kerascnn import summary as summarize
    from kerascnn.arguments import UsageError
    from kerascnn.models import create_model, list_models

    path = Path(model)
    is_path = path.exists() or path.suffix or len(path.parts) > 1
    if model in list_models() or not is_path:
        classes = 10 if num_classes is None else num_classes
        typer.echo(summarize(create_model(model, shape, classes)))
        return
    if num_classes is not None:
        raise UsageError(f"`--num-classes` goes with the name of a model; got the file {model}.")
    typer.echo(summarize(load_model(path), shape))


def parsed_shape(text):
    """`"32,32,3"` as a tuple.

    Raises:
        ValueError: for anything else.
    """
    from kerascnn.arguments import UsageError

    sizes = text.replace(" ", "").strip("()").split(",")
    if not all(size.isdecimal() and int(size) for size in sizes):
        raise UsageError(
            f"`--input-shape` must be ints, each at least 1, such as 32,32,3; got {text!r}."
        )
    return tuple(map(int, sizes))


def load_model(path):
    """The model in a file, or in the `model.keras` of a folder.

    Raises:
        FileNotFoundError: if there is none.
        RuntimeError: if it cannot be loaded.
    """
    import keras

    file = path / "model.keras" if path.is_dir() else path
    if not file.is_file():
        raise FileNotFoundError(f"There is no file {file}.")
    try:
        return keras.saving.load_model(file, compile=False)
    except Exception as error:  # what a broken file raises depends on where it is broken
        reason = str(error).strip().partition("\n")[0]
        raise RuntimeError(f"{file} cannot be loaded ({reason}).") from error
