"""Show the layers and the cost of a model: one from the registry, or a saved one.

    kerascnn summary lenet5 --input-shape 32,32,3 --num-classes 4
    kerascnn summary runs/mnist

A name listed by `kerascnn models` takes precedence over a file of that name.
"""

from pathlib import Path
from typing import Annotated

import typer


def summary(
    model: Annotated[
        str, typer.Argument(help="Model name, .keras file, or folder that contains model.keras.")
    ],
    input_shape: Annotated[
        str | None, typer.Option(help="Such as 32,32,3; by default from the model.")
    ] = None,
    num_classes: Annotated[
        int | None, typer.Option(help="Number of classes, with a model name; by default 10.")
    ] = None,
):
    """List the layers of a model with their parameters, multiply-adds and receptive fields."""
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
        raise UsageError(f"`--num-classes` is only valid with a model name; got the file {model}.")
    typer.echo(summarize(load_model(path), shape))


def parsed_shape(text):
    """Parses `"32,32,3"` to a tuple.

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
    """Loads a model from a file, or from `model.keras` in a folder.

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
    except Exception as error:  # the exception depends on the damage
        reason = str(error).strip().partition("\n")[0]
        raise RuntimeError(f"{file} cannot be loaded ({reason}).") from error
