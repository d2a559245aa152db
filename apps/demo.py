"""A first run, on embedded data."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from kerascnn_apps.messages import command_line
from kerascnn_apps.options import Force, Seed
from kerascnn_apps.signals import ended_by_signals


def demo(
    out: Annotated[Path, typer.Option(help="Run folder to write.")] = Path("runs/demo"),
    seed: Seed = 0,
    force: Force = False,
):
    """Train LeNet-5 on embedded handwritten digits, plot, export, reload and predict."""
    from kerascnn import runs, tasks

    typer.echo("LeNet-5 learns 1,257 handwritten digits, in about a minute on two cores.")
    task, request = tasks.get_task("classification"), tasks.Request(seed=seed)
    with ended_by_signals():
        _, trained = runs.train(
            task, request, out, force=force, command=command_line(), say=typer.echo
        )
    if not trained and _is_exported(out):
        return
    typer.echo(f"SavedModel:  {runs.export(out).path} (reloaded in a fresh process: same outputs)")
    for file, prediction in list(runs.predict(out, [out / "examples"]))[:3]:
        typer.echo(f"predicts:    {file} is a {prediction.json()['class_name']}")
    line = ["kerascnn", "classify", "predict", str(out), "YOUR_IMAGE.png"]
    typer.echo(f"now:         {shlex.join(line)}")


def _is_exported(run):
    """Returns whether the newest export is newer than the model; old exports are never deleted."""
    exports = [path.stat().st_mtime for path in run.glob("export/*/saved_model.pb")]
    return max(exports, default=0) >= (run / "model.keras").stat().st_mtime
