"""The commands of a task: train, evaluate, predict, export, show-data and check."""

import inspect
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer

from kerascnn_apps import options
from kerascnn_apps.backend import use_backend
from kerascnn_apps.export import EXPORT_OPTIONS, export_function
from kerascnn_apps.messages import command_line, report_errors
from kerascnn_apps.signals import ended_by_signals
from kerascnn_apps.signatures import with_options

# Everything that imports Keras is imported by the commands themselves: `--help` stays fast.

# Training options that are fields of the recipe.
_FIELDS = (
    "loss",
    "class_weights",
    "balance",
    "factor",
    "crop_size",
    "patch_size",
    "patches",
    "epochs",
    "batch_size",
    "learning_rate",
    "patience",
    "stop_at",
    "precision",
)


@dataclass(frozen=True)
class TaskCommands:
    """The help texts of a task's commands, and its options in addition to the common ones.

    Args:
        task: str, the name of the task.
        command: str, the name of its command.
        about: str, the help of the command.
        data: str, the help of `--data`.
        embedded: str, the default of `--data`.
        model: str, the help of `--model`.
        recipes: str, the help of `--recipe`.
        docs: dict, `{command: help}`.
        weights: str, the help of `--weights`.
        augment: str, the names that `--augment` accepts; without the option if it is empty.
        data_dir: bool, whether the task can read TensorFlow Datasets.
        reading: `{name: annotation}`, the task's options for reading data.
        training: `{name: annotation}`, the task's other options of `train`.
        predicting: `{name: (annotation, default)}`, the task's options of `predict`.
        saves: bool, whether `predict` writes files.
    """

    task: str
    command: str
    about: str
    data: str
    embedded: str
    model: str
    recipes: str
    docs: Mapping[str, str]
    weights: str = "Folder of another run, whose weights to start with."
    augment: str = ""
    data_dir: bool = True
    reading: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    predicting: Mapping[str, Any] = field(default_factory=dict)
    saves: bool = True


def task_app(commands):
    """Builds the Typer application of a task."""
    app = typer.Typer(help=commands.about, no_args_is_help=True)
    for name, run in {
        "train": _train,
        "evaluate": _evaluate,
        "predict": _predict,
        "export": _export,
        "show-data": _show_data,
        "check": _check,
    }.items():
        function, parameters = run(commands)
        app.command(name, help=commands.docs[name])(with_options(function, parameters))
    return app


def _data_options(commands):
    """Returns the options that select the data, the model and the recipe."""
    found = {"data": (Annotated[str, typer.Option(help=commands.data)], commands.embedded)}
    if commands.data_dir:
        found["data_dir"] = (options.DataDir, None)
    found |= {name: (annotation, None) for name, annotation in commands.reading.items()}
    found["model"] = (Annotated[str | None, typer.Option(help=commands.model)], None)
    found["option"] = (options.ModelOption, None)
    found["weights"] = (Annotated[str | None, typer.Option(help=commands.weights)], None)
    found["recipe"] = (Annotated[str | None, typer.Option(help=commands.recipes)], None)
    return found


def _augment_option(commands):
    if not commands.augment:
        return {}
    text = f"NAME=VALUE instead of the recipe's: {commands.augment}."
    return {"augment": (Annotated[list[str] | None, typer.Option(help=text)], None)}


def _request(given):
    from kerascnn.tasks import Request

    changes = {name: given[name] for name in _FIELDS if name in given}
    changes["augmentation"] = options.name_values(given.get("augment"), "--augment")
    return Request(
        data=given["data"],
        data_dir=given.get("data_dir"),
        model=given["model"],
        options=options.name_values(given["option"], "--option"),
        weights=given["weights"],
        recipe=given["recipe"],
        changes=changes,
        image_size=given.get("image_size"),
        ignore=given.get("ignore") or None,
        seed=given["seed"],
        strict=given.get("strict", False),
        mask_values=given.get("mask_values"),
        mask_colors=given.get("mask_colors"),
        max_pixels=given.get("max_pixels"),
    )


def _train(commands):
    def train(**given):
        use_backend(given["backend"])
        from kerascnn import runs, tasks

        task = tasks.get_task(commands.task)
        with ended_by_signals():
            run, trained = runs.train(
                task,
                _request(given),
                given["out"],
                force=given["force"],
                command=command_line(),
                say=typer.echo,
                checkpoint_every=given["checkpoint_every"],
            )
        if trained:
            line = ["kerascnn", commands.command, "predict", str(run), str(run / "examples")]
            typer.echo(f"now:         {shlex.join(line)}")

    return train, {
        **_data_options(commands),
        "out": (options.RunOut, None),
        **{name: (annotation, None) for name, annotation in commands.training.items()},
        "epochs": (options.Epochs, None),
        "batch_size": (options.BatchSize, None),
        "learning_rate": (options.LearningRate, None),
        "patience": (options.Patience, None),
        "stop_at": (options.StopAt, None),
        "checkpoint_every": (options.CheckpointEvery, "5m"),
        **_augment_option(commands),
        "precision": (options.Precision, None),
        "backend": (options.Backend, None),
        "max_pixels": (options.MaxPixels, None),
        "seed": (options.Seed, 0),
        "strict": (options.Strict, False),
        "force": (options.Force, False),
    }


def _evaluate(commands):
    def evaluate(run, **given):
        from kerascnn import runs
        from kerascnn_apps.table import print_table

        found, paths = runs.evaluate(
            run,
            task=commands.task,
            data=given["data"],
            data_dir=given.get("data_dir"),
            split=given["split"],
            plots=given["plots"],
            max_pixels=given["max_pixels"],
        )
        if given["as_json"]:
            typer.echo(json.dumps({**found.numbers, **found.details}))
            return
        typer.echo(f"{given['split']} {found.line}\n")
        if found.table.note:
            typer.echo(f"{found.table.note}\n")
        print_table(found.table.headings, found.table.rows)
        for path in paths:
            typer.echo(f"plot:        {path}")

    return evaluate, {
        "run": (options.Model, inspect.Parameter.empty),
        "data": (options.OtherData, None),
        **({"data_dir": (options.DataDir, None)} if commands.data_dir else {}),
        "split": (options.Split, "test"),
        "plots": (options.Plots, None),
        "max_pixels": (options.MaxPixels, None),
        "as_json": (options.AsJson, False),
    }


def _predict(commands):
    def predict(run, images, as_json, max_pixels, **given):
        from kerascnn import runs

        results, errors = [], []
        for file, prediction in runs.predict(
            run,
            images,
            task=commands.task,
            max_pixels=max_pixels,
            on_error=errors.append,
            **given,
        ):
            if as_json:
                results.append({"file": file, **prediction.json()})
            else:
                typer.echo(f"{file}  {prediction.line()}")
        if as_json:
            typer.echo(json.dumps(results, indent=2))
        report_errors(errors)

    return predict, {
        "run": (options.Model, inspect.Parameter.empty),
        "images": (options.Images, inspect.Parameter.empty),
        **({"out": (options.PredictOut, "predictions")} if commands.saves else {}),
        **commands.predicting,
        "max_pixels": (options.MaxPixels, None),
        "as_json": (options.AsJson, False),
        **({"force": (options.Overwrite, False)} if commands.saves else {}),
    }


def _export(commands):
    return export_function(commands.task), EXPORT_OPTIONS


def _show_data(commands):
    def show_data(**given):
        from kerascnn import runs, tasks
        from kerascnn.storage.printable import printable

        task = tasks.get_task(commands.task)
        path = runs.show_data(task, _request(given), given["out"], force=given["force"])
        typer.echo(f"plot:        {printable(path)}")

    training = {name: (annotation, None) for name, annotation in commands.training.items()}
    return show_data, {
        **_data_options(commands),
        "out": (options.DataPlot, None),
        **training,
        **_augment_option(commands),
        "max_pixels": (options.MaxPixels, None),
        "seed": (options.Seed, 0),
        "force": (options.Overwrite, False),
    }


def _check(commands):
    def check(**given):
        from kerascnn import runs, tasks
        from kerascnn_apps.messages import readable

        found = runs.check_data(tasks.get_task(commands.task), _request({**given, "seed": 0}))
        lines = [
            *found.lines,
            *(f"warning:     {line}" for line in found.warnings),
            *(f"error:       {line}" for line in found.errors),
        ]
        for line in lines:
            typer.echo(readable(line))
        if found.errors:
            raise typer.Exit(1)

    return check, {
        **_data_options(commands),
        "max_pixels": (options.MaxPixels, None),
        "strict": (options.Strict, False),
    }
