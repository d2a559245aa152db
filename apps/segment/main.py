"""Segment images: embedded scenes by default, any folder of images and masks as well.

    kerascnn segment train --data camvid --out runs/camvid
    kerascnn segment predict runs/camvid picture.png --out segmented

Measured: mean IoU 47.15 % on CamVid's 233 test frames (unet of width 16 at half the size, 30
epochs, 48 minutes on two cores, seed 0); docs/results.md has the commands and the machine.
"""

import json
import shlex
from pathlib import Path
from typing import Annotated

import typer

from kerascnn_apps.backend import use_backend
from kerascnn_apps.command_line import (
    AsJson,
    Backend,
    BatchSize,
    DataDir,
    Epochs,
    Force,
    Images,
    LearningRate,
    Precision,
    Run,
    Seed,
    Versions,
    command_line,
    options_of,
    tell,
)

app = typer.Typer(help="Segment images: a class for every pixel.", no_args_is_help=True)

# Everything that imports Keras is imported by the commands themselves: `--help` answers at once.


@app.command()
def train(
    data: Annotated[
        str,
        typer.Option(
            help="'scenes' (embedded), a folder with images, masks and classes.txt, or a set of "
            "TensorFlow Datasets."
        ),
    ] = "scenes",
    data_dir: DataDir = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option(help="A class that counts nowhere, as do those named void or the like."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="Name of a model (`kerascnn models --task segmentation`); by default a U-Net with "
            "a width of 16."
        ),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(help="NAME=VALUE of the model's builder, such as upsampling=pixel_shuffle."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the run; by default runs/DATA-MODEL.")
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(help="quick or standard; by default what fits to the data."),
    ] = None,
    loss: Annotated[
        str | None,
        typer.Option(help="cross_entropy, dice, lovasz, focal, or a sum: cross_entropy+lovasz."),
    ] = None,
    class_weights: Annotated[
        bool | None,
        typer.Option("--class-weights/--no-class-weights", help="Whether rare classes weigh more."),
    ] = None,
    factor: Annotated[
        float | None, typer.Option(help="By which images are resized for the model, 0.5 for half.")
    ] = None,
    crop_size: Annotated[
        tuple[int, int] | None,
        typer.Option(
            help="Height and width of the training windows, after resizing; by default all of an "
            "image, or 256,256 where images are large or differ in size."
        ),
    ] = None,
    epochs: Epochs = None,
    batch_size: BatchSize = None,
    learning_rate: LearningRate = None,
    precision: Precision = None,
    backend: Backend = None,
    seed: Seed = 0,
    strict: Annotated[
        bool, typer.Option("--strict", help="A broken file is an error, not skipped.")
    ] = False,
    force: Force = False,
):
    """Train a segmentation model, draw how it learned, and test it."""
    use_backend(backend)
    from kerascnn_apps.segment.train import Task
    from kerascnn_apps.segment.train import train as run_training
    from kerascnn_apps.training import default_out

    task = Task(
        data=data,
        data_dir=data_dir,
        ignore=tuple(ignore) if ignore else None,
        model=model,
        options=options_of(option, "--option"),
        recipe=recipe,
        overrides={
            "loss": loss,
            "class_weights": class_weights,
            "factor": factor,
            "crop_size": crop_size,
            "epochs": epochs,
            "batch_size": batch_size,
            "learning_rate": learning_rate,
            "precision": precision,
        },
        seed=seed,
        strict=strict,
    )
    folder = out or default_out(data, f"-{task.model_name}")
    if run_training(task, folder, force, command_line()):
        words = ["kerascnn", "segment", "predict", str(folder), str(folder / "examples")]
        typer.echo(f"now:         {shlex.join(words)}")


@app.command()
def evaluate(
    run: Run,
    data: Annotated[str | None, typer.Option(help="Instead of the data of the training.")] = None,
    data_dir: DataDir = None,
    split: Annotated[str, typer.Option(help="train, validation, test or all.")] = "test",
    plots: Annotated[
        Path | None, typer.Option(help="Folder for pictures: overlays, classes, confusion matrix.")
    ] = None,
    as_json: AsJson = False,
):
    """Measure a trained model on whole images of a split, at their own resolution."""
    from kerascnn_apps.segment.report import show
    from kerascnn_apps.segment.use import evaluate as run_evaluation

    found, paths = run_evaluation(run, data, data_dir, split, plots)
    if as_json:
        typer.echo(json.dumps(found))
        return
    show(split, found)
    for path in paths:
        typer.echo(f"plot:        {path}")


@app.command()
def predict(
    run: Run,
    images: Images,
    out: Annotated[Path, typer.Option(help="Folder for masks, overlays and probabilities.")] = Path(
        "segmented"
    ),
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Write arrays of all probabilities as well.")
    ] = False,
    tile: Annotated[
        int | None,
        typer.Option(help="Side of the tiles that a large image is cut into, in pixels."),
    ] = None,
    as_json: AsJson = False,
    force: Annotated[bool, typer.Option("--force", help="Write over what is there.")] = False,
):
    """Segment image files of any size and kind: masks of class numbers, and overlays to look at."""
    from kerascnn_apps.segment.use import predict as run_prediction

    results, broken = [], []
    for result in run_prediction(run, images, out, probabilities, tile, force):
        if isinstance(result, Exception):
            broken.append(result)
            continue
        results.append(result)
        if not as_json:
            shares = sorted(result["shares"].items(), key=lambda item: -item[1])
            text = ", ".join(f"{name} {share:.0%}" for name, share in shares[:3])
            typer.echo(f"{result['file']}  {text}  {result['overlay']}")
    if as_json:
        typer.echo(json.dumps(results, indent=2))
    tell(broken)


@app.command()
def export(
    run: Run,
    out: Versions = None,
):
    """Write a SavedModel for serving, checked in a fresh process."""
    from kerascnn_apps.segment.use import export as run_export

    typer.echo(f"SavedModel:  {run_export(run, out)}")
