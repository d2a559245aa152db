"""Arguments and options of the commands: one declaration each, for all tasks."""

import json
from pathlib import Path
from typing import Annotated

import typer

Run = Annotated[Path, typer.Argument(help="Folder of a run, as `train` leaves it.")]
Model = Annotated[
    Path, typer.Argument(help="Folder of a run, or what `export` wrote.", metavar="RUN")
]
Images = Annotated[list[Path], typer.Argument(help="Image files, or folders of them.")]
DataDir = Annotated[
    Path | None, typer.Option(help="TensorFlow Datasets' folder of prepared datasets.")
]
Ignore = Annotated[
    list[str] | None,
    typer.Option(help="A class that is not scored, as are those named void or similar."),
]
ModelOption = Annotated[
    list[str] | None, typer.Option(help="NAME=VALUE, an option of the model, such as width=32.")
]
RunOut = Annotated[
    Path | None,
    typer.Option(help="Folder of the run; by default runs/DATA-MODEL, numbered if it is taken."),
]
Loss = Annotated[
    str | None,
    typer.Option(help="cross_entropy, dice, lovasz, focal, or a sum: cross_entropy+lovasz."),
]
ImageLoss = Annotated[
    str | None, typer.Option("--loss", help="mean_squared_error or mean_absolute_error.")
]
ClassWeights = Annotated[
    bool | None,
    typer.Option(
        "--class-weights/--no-class-weights", help="Give rare classes more weight in the loss."
    ),
]
Balance = Annotated[
    bool | None,
    typer.Option(
        "--balance/--no-balance",
        help="Show images of rare classes more often, so that all classes are equally frequent.",
    ),
]
MaskValues = Annotated[
    str | None,
    typer.Option(
        help="The numbers in masks that mean the classes: 0,255 in the order of classes.txt, or "
        "road=0,car=255; with ',nearest', others are taken for the nearest one."
    ),
]
MaskColors = Annotated[
    str | None,
    typer.Option(help="The colors in masks that mean the classes: 'road=#804080,car=#00008e'."),
]
Factor = Annotated[
    float | None, typer.Option(help="Resize images for the model by this factor, such as 0.5.")
]
CropSize = Annotated[
    tuple[int, int] | None,
    typer.Option(
        help="Height and width of the training windows, after resizing; by default whole images, "
        "or 256 256 where images are large or differ in size."
    ),
]
PatchSize = Annotated[
    int | None,
    typer.Option(help="Side of the training patches in low resolution; by default the recipe's."),
]
Patches = Annotated[
    int | None, typer.Option(help="Training patches in an epoch; by default the recipe's.")
]
ImageSize = Annotated[
    int | None,
    typer.Option(help="Side in pixels; by default that of the images, or of the model."),
]
Epochs = Annotated[
    int | None, typer.Option(help="Passes over the training images; by default the recipe's.")
]
BatchSize = Annotated[
    int | None, typer.Option(help="Images in a training step; by default the recipe's.")
]
LearningRate = Annotated[
    float | None, typer.Option(help="The highest learning rate; by default the recipe's.")
]
Patience = Annotated[
    int | None,
    typer.Option(help="End the training after so many epochs without a better one."),
]
StopAt = Annotated[
    float | None,
    typer.Option(
        metavar="METRIC", help="End the training when the metric in validation is this, or more."
    ),
]
CheckpointEvery = Annotated[
    str,
    typer.Option(
        help="Write a checkpoint after so many steps, or 30s, 5m, 1h; and after every epoch."
    ),
]
Precision = Annotated[
    str | None,
    typer.Option(help="float32, mixed_bfloat16 or mixed_float16; by default the recipe's."),
]
Backend = Annotated[
    str | None, typer.Option(help="tensorflow, jax or torch; by default Keras's own setting.")
]
Seed = Annotated[int, typer.Option(help="Decides everything that is random.")]
Strict = Annotated[
    bool, typer.Option("--strict", help="A file that cannot be used is an error, not skipped.")
]
Force = Annotated[bool, typer.Option("--force", help="Clear the run that is in the folder.")]
Overwrite = Annotated[bool, typer.Option("--force", help="Overwrite what is there.")]
OtherData = Annotated[str | None, typer.Option(help="Instead of the data of the training.")]
Split = Annotated[str, typer.Option(help="train, validation, test or all.")]
Plots = Annotated[Path | None, typer.Option(help="New folder for figures of the results.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
PredictOut = Annotated[Path, typer.Option(help="Folder to save predictions in.")]
MaxPixels = Annotated[
    int | None,
    typer.Option(help="The largest image to read; by default what fits into the memory."),
]
Probabilities = Annotated[
    bool, typer.Option("--probabilities", help="Save arrays of all probabilities too.")
]
Tile = Annotated[
    int | None, typer.Option(help="Side of the tiles that a large image is cut into, in pixels.")
]
ExportFormat = Annotated[
    str, typer.Option("--format", help="saved_model, onnx, litert or openvino.")
]
ExportOut = Annotated[
    Path | None,
    typer.Option(
        help="Folder of the versions of a SavedModel, or the file; by default RUN/export or in it."
    ),
]
Quantize = Annotated[
    str | None,
    typer.Option(
        help="int8: weights and activations of 8 bits, calibrated on images of the training; not "
        "for a SavedModel."
    ),
]
DataPlot = Annotated[
    Path | None, typer.Option(help="File of the figure; by default runs/DATA-data.png.")
]


def name_values(words, option):
    """Returns `{name: value}` of words like `width=16` or `upsampling=bilinear`.

    Args:
        words: list of str, or `None`.
        option: str, what they were given with.

    Raises:
        ValueError: if a word has no name before its `=`.
    """
    from kerascnn.arguments import UsageError  # loads Keras, which `--help` need not wait for

    found = {}
    for word in words or ():
        key, equals, value = word.partition("=")
        if not (key and equals):
            raise UsageError(f"`{option}` must be NAME=VALUE; got {word!r}.")
        if key in found:
            raise UsageError(f"`{option}` must be given once for each name; got {key!r} twice.")
        try:
            found[key] = json.loads(value)
        except ValueError:  # a word
            found[key] = value
    return found
