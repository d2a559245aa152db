"""Classify images: handwritten digits by default, any folder of pictures as well.

    kerascnn classify train --data mnist --data-dir ~/tensorflow_datasets --out runs/mnist
    kerascnn classify predict runs/mnist picture.png

Measured: 99.52 % of MNIST's 10,000 test images (lenet5, 60 epochs, 9 minutes on two cores, seed 0);
docs/results.md has the commands and the machine.
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

app = typer.Typer(help="Classify images.", no_args_is_help=True)

# Everything that imports Keras is imported by the commands themselves: `--help` answers at once.

Data = Annotated[
    str,
    typer.Option(help="'digits' (embedded), a set of TensorFlow Datasets, or a folder of classes."),
]
Augment = Annotated[
    list[str] | None,
    typer.Option(
        help="NAME=VALUE beside the recipe's: flip, crop, shift, zoom, rotate, color, "
        "rand_augment, cutout, mixup."
    ),
]


@app.command()
def train(
    data: Data = "digits",
    data_dir: DataDir = None,
    model: Annotated[
        str | None,
        typer.Option(help="Name of a model (`kerascnn models`); by default lenet5."),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(help="Weights to begin with: 'imagenet', or the folder of another run."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the run; by default runs/DATA.")
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            help="quick, standard, paper, small or finetune; by default what the number of images "
            "asks for."
        ),
    ] = None,
    epochs: Epochs = None,
    batch_size: BatchSize = None,
    learning_rate: LearningRate = None,
    image_size: Annotated[
        int | None,
        typer.Option(help="Side in pixels; by default the images' or the model's."),
    ] = None,
    augment: Augment = None,
    precision: Precision = None,
    backend: Backend = None,
    seed: Seed = 0,
    strict: Annotated[
        bool, typer.Option("--strict", help="A broken image is an error, not skipped.")
    ] = False,
    force: Force = False,
):
    """Train a classifier, draw how it learned, and test it."""
    use_backend(backend)
    from kerascnn_apps.classify.train import Task
    from kerascnn_apps.classify.train import train as run_training
    from kerascnn_apps.training import default_out

    task = Task(
        data=data,
        data_dir=data_dir,
        model=model,
        weights=weights,
        recipe=recipe,
        overrides={
            "epochs": epochs,
            "batch_size": batch_size,
            "learning_rate": learning_rate,
            "augmentation": options_of(augment, "--augment"),
            "precision": precision,
        },
        image_size=image_size,
        seed=seed,
        strict=strict,
    )
    folder = out or default_out(data)
    if run_training(task, folder, force, command_line()):
        typer.echo(f"now:         {_predict_command(folder, folder / 'examples')}")


@app.command()
def show_data(
    data: Data = "digits",
    data_dir: DataDir = None,
    model: Annotated[
        str, typer.Option(help="Model that the recipe is for; decides the image size too.")
    ] = "lenet5",
    recipe: Annotated[
        str | None, typer.Option(help="Recipe whose augmentation is shown; as in `train`.")
    ] = None,
    augment: Augment = None,
    image_size: Annotated[int | None, typer.Option(help="Side in pixels; as in `train`.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="The picture; by default runs/DATA-data.png.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Decides what is random.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the picture.")] = False,
):
    """Draw training images, and what augmentation makes of them."""
    from kerascnn_apps.classify.show_data import show_data as draw
    from kerascnn_apps.classify.train import Task
    from kerascnn_apps.training import default_out

    task = Task(
        data=data,
        data_dir=data_dir,
        model=model,
        recipe=recipe,
        overrides={"augmentation": options_of(augment, "--augment")},
        image_size=image_size,
        seed=seed,
    )
    draw(task, out or default_out(data, "-data.png"), force)


@app.command()
def evaluate(
    run: Run,
    data: Annotated[str | None, typer.Option(help="Instead of the data of the training.")] = None,
    data_dir: DataDir = None,
    split: Annotated[str, typer.Option(help="train, validation, test or all.")] = "test",
    plots: Annotated[
        Path | None,
        typer.Option(help="Folder for pictures: confusion matrix, calibration, classes."),
    ] = None,
    as_json: AsJson = False,
):
    """Measure a trained classifier on a whole split: as such, by class, and its calibration."""
    from kerascnn_apps.classify.report import show
    from kerascnn_apps.classify.use import evaluate as run_evaluation

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
    as_json: AsJson = False,
):
    """Classify image files of any size and kind."""
    from kerascnn_apps.classify.use import predict as run_prediction

    results, broken = run_prediction(run, images)
    if as_json:
        typer.echo(json.dumps(results, indent=2))
    else:
        for result in results:
            typer.echo(f"{result['file']}  {result['class_name']}  {result['probability']:.2%}")
    tell(broken)


@app.command()
def export(
    run: Run,
    out: Versions = None,
):
    """Write a SavedModel for serving, checked in a fresh process."""
    from kerascnn_apps.classify.use import export as run_export

    typer.echo(f"SavedModel:  {run_export(run, out)}")


def demo(
    out: Annotated[Path, typer.Option(help="Folder of the run.")] = Path("runs/demo"),
    seed: Seed = 0,
    force: Force = False,
):
    """Train LeNet-5 on embedded handwritten digits, draw, export, reload and predict."""
    from kerascnn_apps.classify.train import Task
    from kerascnn_apps.classify.train import train as run_training
    from kerascnn_apps.classify.use import export as run_export
    from kerascnn_apps.classify.use import predict as run_prediction

    typer.echo("LeNet-5 learns 1,257 handwritten digits, in about a minute on two cores.")
    trained = run_training(Task(data="digits", seed=seed), out, force, command_line())
    if not trained and _is_exported(out):
        return
    typer.echo(f"SavedModel:  {run_export(out)} (reloaded in a fresh process: same answers)")
    results, _ = run_prediction(out, [out / "examples"])
    for result in results[:3]:
        typer.echo(f"predicts:    {result['file']} is a {result['class_name']}")
    typer.echo(f"now:         {_predict_command(out, 'YOUR_IMAGE.png')}")


def _is_exported(run):
    """Whether the newest export was written after the model: those of an earlier run are kept."""
    exports = [path.stat().st_mtime for path in run.glob("export/*/saved_model.pb")]
    return max(exports, default=0) >= (run / "model.keras").stat().st_mtime


def _predict_command(*arguments):
    return shlex.join(["kerascnn", "classify", "predict", *map(str, arguments)])
