"""How a run trains its model: by gradient descent or by self-organization."""

import csv
import warnings
import zipfile
import zlib
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import asdict
from itertools import islice
from typing import Any

import keras
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from kerascnn import visualize
from kerascnn.arguments import UsageError
from kerascnn.storage.checkpoints import BrokenCheckpointWarning
from kerascnn.storage.run_folder import RunFolder
from kerascnn.training.callbacks import best_epoch
from kerascnn.training.fitting import fit
from kerascnn.training.recipe import Recipe
from kerascnn.training.self_organization import (
    SelfOrganization,
    calibrate,
    self_organize,
    stages_of,
)

__all__ = ["GradientDescent", "SelfOrganizing", "calibrate"]


def __dir__():
    return __all__


class GradientDescent:
    """Training with `fit`, for almost every model."""

    def learn(
        self, model: keras.Model, data: Any, recipe: Recipe, run: RunFolder, **arguments: Any
    ) -> list[dict[str, Any]]:
        """Trains a model, with the arguments and the result of `fit`."""
        return fit(model, data, recipe, run, **arguments)

    def figures(self, history: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Returns `{file name: figure}` of the learning curves."""
        best = best_epoch(history)["epoch"]
        return {"learning_curves": visualize.learning_curves(history, best)}

    def numbers(self, history: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Returns the numbers of the training for `metrics.json`."""
        return {"best_epoch": best_epoch(history)["epoch"]}

    def seconds(self, history: Sequence[dict[str, Any]]) -> float:
        """Returns the duration of the training in seconds."""
        return sum(row["seconds"] for row in history)


class SelfOrganizing:
    """Training with `self_organize`, for a Neocognitron: each epoch of the recipe is a pass.

    An interrupted run resumes after the last completed stage.

    Args:
        settings: `SelfOrganization`.
    """

    def __init__(self, settings: SelfOrganization) -> None:
        self.settings = settings

    def learn(
        self,
        model: keras.Model,
        data: Any,
        recipe: Recipe,
        run: RunFolder,
        *,
        facts: dict[str, Any] | None = None,
        command: str = "",
        progress: bool = True,
        **_: Any,
    ) -> list[dict[str, Any]]:
        """Trains a model, with the arguments of `fit`; loss and head are ignored.

        Returns:
            the history of `self_organize`.
        """
        stages_of(model)
        if recipe.precision != "float32":
            raise UsageError(
                "`precision` must be 'float32' for a self-organizing model; got precision="
                f"{recipe.precision!r}."
            )
        with run.locked(command):
            run.begin({**(facts or {}), "training": asdict(recipe)}, command)
            return self._learn(model, data, recipe, run, progress)

    def _learn(self, model, data, recipe, run, progress):
        done = _read_stages(run)
        earlier = _read_history(run) if done else []
        names = stages_of(model)[: len(done)]
        rows = [row for row in earlier if row["stage"] in names]
        if {row["stage"] for row in rows} != set(names):
            _warn(f"{run.history_path} cannot be used; the training starts again.")
            done, rows = [], []
        if done:  # a process may have been killed after it wrote the stage
            run.delete_replaced()

        def on_stage(number, weights, passes):
            with run.writing(run.history_path) as temporary:
                _write_history(temporary, rows)
            with run.writing(_stage_path(run, number)) as temporary, open(temporary, "wb") as file:
                np.savez(file, passes, *weights)
            run.delete_replaced()

        with _bar(progress) as show:

            def on_report(row):
                rows.append(row)
                show(row)

            model, _ = self_organize(
                model,
                data,
                self.settings,
                passes=recipe.epochs,
                done=done,
                on_stage=on_stage,
                on_report=on_report,
            )
        with run.writing(run.model_path) as temporary:
            model.save(temporary)
        for images, _ in islice(data.get("validation", ()), 1):
            _draw_cells(model, np.asarray(images), run)
        return rows

    def figures(self, history: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Returns `{file name: figure}` of the cells that the stages learned."""
        return {"learning_curves": visualize.births(history)}

    def numbers(self, history: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Returns the numbers of the training for `metrics.json`."""
        return {"cells": {stage: row["cells"] for stage, row in _last_rows(history).items()}}

    def seconds(self, history: Sequence[dict[str, Any]]) -> float:
        """Returns the duration of the training in seconds."""
        return sum(row["seconds"] for row in _last_rows(history).values())


def _last_rows(history):
    """Returns the last row of each stage."""
    return {row["stage"]: row for row in history}


def _draw_cells(model, images, run):
    """Plots the preferred patterns of the learned cells, and all responses to the first image."""
    *cells, _ = stages_of(model)
    for name in cells:
        title = f"{run.path.name}: the patterns that cells prefer"
        figure = visualize.preferred_patterns(model, name, images, title=title)
        run.save_figure("cells" if len(cells) == 1 else f"cells_{name}", figure)
    title = f"{run.path.name}: responses to one image"
    run.save_figure("responses", visualize.responses(model, images[0], title))


def _stage_path(run, number):
    return run.checkpoints / f"stage_{number + 1}.npz"


def _read_stages(run):
    """Returns the weights and the passes of the completed stages of a run."""
    found = []
    while (path := _stage_path(run, len(found))).is_file() and run.owns(path):
        try:
            with open(path, "rb") as file, np.load(file) as arrays:
                passes, *weights = (arrays[f"arr_{i}"] for i in range(len(arrays.files)))
            found.append((weights, int(passes)))
        except (
            OSError,
            ValueError,
            EOFError,
            LookupError,
            zipfile.BadZipFile,
            zlib.error,
        ) as error:
            _warn(f"{path} cannot be used ({error}); its stage is trained again.")
            break
    return found


def _warn(sentence):
    warnings.warn(sentence, BrokenCheckpointWarning, stacklevel=3)


_COLUMNS = {"stage": str, "images": int, "cells": int, "errors": int, "seconds": float}


def _write_history(path, rows):
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, list(_COLUMNS))
        writer.writeheader()
        writer.writerows(rows)


def _read_history(run):
    if not run.is_intact(run.history_path):
        return []
    try:
        with open(run.history_path, newline="") as file:
            return [
                {key: kind(row[key]) for key, kind in _COLUMNS.items()}
                for row in csv.DictReader(file)
            ]
    except (OSError, ValueError, KeyError, TypeError, csv.Error):  # damaged
        return []


@contextmanager
def _bar(visible):
    """Yields a function that displays a row of the history if standard error is a terminal."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[row]}"),
    )
    with Progress(*columns, console=console, disable=not (visible and console.is_terminal)) as bar:
        tasks = {}

        def show(row):
            stage = row["stage"]
            if stage not in tasks:
                tasks[stage] = bar.add_task(stage, total=None, row="")
            text = f"{row['images']:,} images  {row['cells']:,} cells  {row['errors']:,} errors"
            bar.update(tasks[stage], row=text)

        yield show
