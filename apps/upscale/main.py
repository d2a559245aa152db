"""Upscale pictures: learned from a photograph by default, from any folder of pictures as well.

    kerascnn upscale train --data ~/photos --model espcn_x3 --out runs/photos
    kerascnn upscale predict runs/photos small.jpg --out upscaled

Measured: 33.16 dB on flower.jpg, bicubic interpolation 32.37 dB (espcn_x3, 12 epochs on china.jpg,
204 s on two cores, seed 0); docs/results.md has the commands and the machine.
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
    Epochs,
    Force,
    Images,
    LearningRate,
    Precision,
    Run,
    Seed,
    Versions,
    command_line,
    tell,
)

app = typer.Typer(help="Upscale pictures.", no_args_is_help=True)

# Everything that imports Keras is imported by the commands themselves: `--help` answers at once.


@app.command()
def train(
    data: Annotated[
        str, typer.Option(help="'photos' (embedded), or a folder of pictures.")
    ] = "photos",
    model: Annotated[
        str, typer.Option(help="Name of a model that upscales (`kerascnn models 'e*_x?'`).")
    ] = "espcn_x3",
    out: Annotated[
        Path | None, typer.Option(help="Folder of the run; by default runs/DATA-MODEL.")
    ] = None,
    recipe: Annotated[str, typer.Option(help="quick or standard.")] = "standard",
    epochs: Epochs = None,
    batch_size: BatchSize = None,
    learning_rate: LearningRate = None,
    patch_size: Annotated[
        int | None,
        typer.Option(help="Side of the parts in low resolution, instead of the recipe's."),
    ] = None,
    precision: Precision = None,
    backend: Backend = None,
    seed: Seed = 0,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="A broken or too small picture is an error, not skipped."),
    ] = False,
    force: Force = False,
):
    """Train a model to upscale, draw how it learned, and test it beside bicubic interpolation."""
    use_backend(backend)
    from kerascnn_apps.training import default_out
    from kerascnn_apps.upscale.train import Task
    from kerascnn_apps.upscale.train import train as run_training

    task = Task(
        data=data,
        model=model,
        recipe=recipe,
        overrides={
            "epochs": epochs,
            "batch_size": batch_size,
            "learning_rate": learning_rate,
            "patch_size": patch_size,
            "precision": precision,
        },
        seed=seed,
        strict=strict,
    )
    folder = out or default_out(data, f"-{model}")
    if run_training(task, folder, force, command_line()):
        examples, upscaled = str(folder / "examples"), str(folder.parent / "upscaled")
        line = ["kerascnn", "upscale", "predict", str(folder), examples, "--out", upscaled]
        typer.echo(f"now:         {shlex.join(line)}")


@app.command()
def evaluate(
    run: Run,
    data: Annotated[
        str | None, typer.Option(help="Instead of the pictures of the training.")
    ] = None,
    split: Annotated[str, typer.Option(help="train, validation, test or all.")] = "test",
    plot: Annotated[Path | None, typer.Option(help="File for a picture of the answers.")] = None,
    as_json: AsJson = False,
):
    """Measure a trained model on pictures that are reduced first: PSNR and SSIM of luminance.

    Luminance from 16 to 235, without a border of as many pixels as the factor, as papers do.
    """
    from kerascnn_apps.upscale.report import show
    from kerascnn_apps.upscale.use import evaluate as run_evaluation

    found = run_evaluation(run, data, split, plot)
    if as_json:
        typer.echo(json.dumps(found))
        return
    show(split, found)
    if plot is not None:
        typer.echo(f"plot:        {plot}")


@app.command()
def predict(
    run: Run,
    images: Images,
    out: Annotated[Path, typer.Option(help="Folder for the upscaled pictures, as PNG.")],
    force: Annotated[bool, typer.Option("--force", help="Overwrite pictures there.")] = False,
    as_json: AsJson = False,
):
    """Upscale image files of any size and kind."""
    from kerascnn_apps.upscale.use import predict as run_prediction

    results, broken = run_prediction(run, images, out, force)
    if as_json:
        typer.echo(json.dumps(results, indent=2))
    else:
        for result in results:
            typer.echo(f"{result['upscaled']}  {result['width']}x{result['height']}")
    tell(broken)


@app.command()
def export(
    run: Run,
    out: Versions = None,
):
    """Write a SavedModel for serving, checked in a fresh process."""
    from kerascnn_apps.upscale.use import export as run_export

    typer.echo(f"SavedModel:  {run_export(run, out)}")
