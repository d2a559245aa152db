"""Arguments and options of the commands, each declared once for all tasks."""

import json
from pathlib import Path
from typing import Annotated

import typer

Run = Annotated[Path, typer.Argument(help="Run folder written by `train`.")]
Model = Annotated[
    Path, typer.Argument(help="Run folder, or a model written by `export`.", metavar="RUN")
]
Images = Annotated[list[Path], typer.Argument(help="Image files, or folders of images.")]
DataDir = Annotated[Path | None, typer.Option(help="Folder of prepared TensorFlow Datasets.")]
Ignore = Annotated[
    list[str] | None,
    typer.Option(help="Class not to score; classes named void or similar are never scored."),
]
ModelOption = Annotated[
    list[str] | None, typer.Option(help="Model option as NAME=VALUE, such as width=32.")
]
RunOut = Annotated[
    Path | None,
    typer.Option(
        help="Run folder; by default runs/DATA-MODEL, with a number if that has other content."
    ),
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
        help="Repeat images of rare classes, so that all classes are equally frequent.",
    ),
]
MaskValues = Annotated[
    str | None,
    typer.Option(
        help="Mask values of the classes: 0,255 in the order of classes.txt, or road=0,car=255; "
        "add ',nearest' to map any other value to the nearest one."
    ),
]
MaskColors = Annotated[
    str | None,
    typer.Option(help="Mask colors of the classes, such as 'road=#804080,car=#00008e'."),
]
Factor = Annotated[
    float | None, typer.Option(help="Factor to resize images by before the model, such as 0.5.")
]
CropSize = Annotated[
    tuple[int, int] | None,
    typer.Option(
        help="Height and width of training crops, after resizing; by default whole images, or "
        "256 256 if images are large or differ in size."
    ),
]
PatchSize = Annotated[
    int | None,
    typer.Option(help="Size in pixels of low-resolution patches; by default from the recipe."),
]
Patches = Annotated[
    int | None, typer.Option(help="Training patches per epoch; by default from the recipe.")
]
ImageSize = Annotated[
    int | None,
    typer.Option(help="Image size in pixels; by default from the images or from the model."),
]
Epochs = Annotated[int | None, typer.Option(help="Number of epochs; by default from the recipe.")]
BatchSize = Annotated[
    int | None, typer.Option(help="Images per training step; by default from the recipe.")
]
LearningRate = Annotated[
    float | None, typer.Option(help="Peak learning rate; by default from the recipe.")
]
Patience = Annotated[
    int | None,
    typer.Option(help="Stop the training after this many epochs without improvement."),
]
StopAt = Annotated[
    float | None,
    typer.Option(
        metavar="METRIC", help="Stop the training when the validation metric reaches this value."
    ),
]
CheckpointEvery = Annotated[
    str,
    typer.Option(
        help="Steps or time (30s, 5m, 1h) between checkpoints, which are also written after epochs."
    ),
]
Precision = Annotated[
    str | None,
    typer.Option(help="float32, mixed_bfloat16 or mixed_float16; by default from the recipe."),
]
Backend = Annotated[
    str | None, typer.Option(help="tensorflow, jax or torch; by default Keras's setting.")
]
Seed = Annotated[int, typer.Option(help="Seed of all random numbers.")]
Strict = Annotated[
    bool, typer.Option("--strict", help="Fail on an unusable file instead of skipping it.")
]
Force = Annotated[bool, typer.Option("--force", help="Replace the run in the folder.")]
Overwrite = Annotated[bool, typer.Option("--force", help="Overwrite existing files.")]
OtherData = Annotated[str | None, typer.Option(help="Other data than the training used.")]
Split = Annotated[str, typer.Option(help="train, validation, test or all.")]
Plots = Annotated[Path | None, typer.Option(help="New folder to save plots of the results in.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
PredictOut = Annotated[Path, typer.Option(help="Folder to save predictions in.")]
MaxPixels = Annotated[
    int | None,
    typer.Option(help="Largest image to read, in pixels; by default what fits into memory."),
]
Probabilities = Annotated[
    bool, typer.Option("--probabilities", help="Also save arrays of all class probabilities.")
]
Tile = Annotated[
    int | None, typer.Option(help="Size in pixels of the tiles that large images are split into.")
]
ExportFormat = Annotated[
    str, typer.Option("--format", help="saved_model, onnx, litert or openvino.")
]
ExportOut = Annotated[
    Path | None,
    typer.Option(help="File, or folder of the versions of a SavedModel; by default in RUN/export."),
]
Quantize = Annotated[
    str | None,
    typer.Option(
        help="int8: 8-bit weights and activations, calibrated on training images; not for a "
        "SavedModel."
    ),
]
CalibrationData = Annotated[
    str | None, typer.Option(help="Data for --quantize; by default the training data.")
]
DataPlot = Annotated[
    Path | None, typer.Option(help="File to save the plot in; by default runs/DATA-data.png.")
]


def name_values(words, option):
    """Parses options such as `width=16` or `upsampling=bilinear` to `{name: value}`.

    Args:
        words: list of str, or `None`.
        option: str, the option that they belong to.

    Raises:
        ValueError: if a word is not `NAME=VALUE`, or repeats a name.
    """
    from kerascnn.arguments import UsageError  # imports Keras, which would slow down `--help`

    found = {}
    for word in words or ():
        key, equals, value = word.partition("=")
        if not (key and equals):
            raise UsageError(f"`{option}` must have the form NAME=VALUE; got {word!r}.")
        if key in found:
            raise UsageError(f"`{option}` must have each name only once; got {key!r} twice.")
        try:
            found[key] = json.loads(value)
        except ValueError:  # a word
            found[key] = value
    return found
