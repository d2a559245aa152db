"""Trains a model from the name of a dataset to a finished run folder."""

import contextlib
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from itertools import chain, count
from pathlib import Path
from typing import Any

import keras

from kerascnn.arguments import UsageError
from kerascnn.data.images import to_pillow
from kerascnn.runs.earlier_run import continued, is_finished, replacing
from kerascnn.runs.out import check_out, default_out, enter_default_out, is_same
from kerascnn.runs.record import DataRecord, ModelRecord, RunRecord
from kerascnn.runs.start import start_of
from kerascnn.tasks import Request, Task
from kerascnn.training import RunFolder, inference_model, precision_scope
from kerascnn.training.errors import RunInUseError
from kerascnn.training.frequency import frequency


def train(
    task: Task,
    request: Request,
    out: str | Path | None = None,
    *,
    force: bool = False,
    command: str = "",
    say: Callable[[str], Any] = print,
    checkpoint_every: int | str = "5m",
) -> tuple[Path, bool]:
    """Trains a model, tests it, and plots its learning curves.

    The same call on an unfinished folder resumes, and ends with the same weights and scores as an
    uninterrupted training. On a finished folder it changes nothing, unless `force` is given, or
    more epochs than the run has: then the training continues.

    Args:
        task: `kerascnn.tasks.Task`.
        request: `kerascnn.tasks.Request`.
        out: path of the run folder; by default `runs/DATA-MODEL`, with a number if
            that folder has a run of another command or other files.
        force: bool, whether to clear an earlier run in the folder.
        command: str, the command that started the run, for information; by default the request.
        say: function that is called with every line of the report.
        checkpoint_every: int or str, number of steps or time (`"30s"`, `"5m"`, `"1h"`) between
            checkpoints; a checkpoint is also written after every epoch.

    Returns:
        `(path of the run folder, whether the model was trained)`.

    Raises:
        ValueError: if the request is invalid; the message says what to change.
        FileExistsError: if the folder holds anything other than such a run.
        RunInUseError: if another process is training in the folder.

    Example:
        >>> import tempfile
        >>> from kerascnn import runs, tasks
        >>> task = tasks.get_task("reconstruction")
        >>> request = tasks.Request(changes={"epochs": 1, "batch_size": 256})
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path, trained = runs.train(task, request, f"{folder}/run", say=lambda line: None)
        ...     (path / "metrics.json").is_file()
        True
    """
    keras.config.set_image_data_format("channels_last")  # the format of the pipelines
    request = replace(request, data=request.data or task.embedded[0])
    command = command or repr(request)
    # Checks as much as possible before reading the data, which may take long.
    start = start_of(task, request)
    recipe, learning = task.recipe(request, start), task.learning(start)
    if recipe.frozen_epochs and start.weights is None:
        raise UsageError(
            "A recipe with frozen epochs needs a model with pretrained weights: set `weights`, or "
            f"use another recipe; got recipe={request.recipe!r}."
        )
    chosen = out is None
    if out is None:
        out = default_out(request.data, start.model, command)
    run = RunFolder(out)  # pyright: ignore[reportArgumentType]
    check_out(
        run.path,
        None if request.data in task.embedded else request.data,
        request.data_dir,
        start.weights if start.weights != "imagenet" else None,
    )
    frequency(checkpoint_every)
    try:
        run.check_usable()
    except RunInUseError as error:
        if not chosen or is_same(error.command, command):
            raise
    epochs, asked = request.changes.get("epochs"), _asked(task, request, start, recipe)
    if is_finished(run, force, say, asked, epochs):
        return run.path, False
    data = task.load(request, start, recipe)
    recipe = task.recipe(request, start, data)
    if epochs is not None and not force:
        recipe = continued(run, recipe)
    for line in task.remarks(data):
        say(line)
    keras.utils.set_random_seed(request.seed)
    with precision_scope(recipe.precision):
        model = task.model(start, data, recipe)
    loss, metric = task.objective(data, recipe, model)
    record = RunRecord(
        task=task.name,
        model=ModelRecord(
            start.model,
            inference_model(model).count_params(),
            dict(start.options),
            start.weights,
        ),
        data=DataRecord(
            name=data.name,
            num_examples=dict(data.num_examples),
            data_dir=request.data_dir and str(Path(request.data_dir).resolve()),
            **task.describe(data),
        ),
        training=recipe,
        seed=request.seed,
        command=command,
    )
    with contextlib.ExitStack() as stack:
        if chosen:  # another command may have chosen the same folder in the meantime
            run = enter_default_out(stack, request.data, start.model, command)
        else:
            stack.enter_context(run.locked(command))
        if is_finished(run, force, say, asked, epochs):  # by another process in the meantime
            return run.path, False
        pipelines = {
            split: task.pipeline(data, split, recipe, request.seed, model)
            for split in ("train", "validation")
        }
        with replacing(run, force, say):  # after all checks
            history = learning.learn(
                model,
                pipelines,
                recipe,
                run,
                facts=record.facts(),
                command=command,
                loss=loss,
                metric=metric,
                head=start.head(model),
                checkpoint_every=checkpoint_every,
            )
        _finish(task, run, data, record, learning, history, say)
    return run.path, True


def _asked(task, request, start, recipe):
    """Returns the parts of the record that are known before the data are read."""
    recipes = [recipe]
    if request.recipe is None:  # the data may decide which
        recipes += [task.recipe(replace(request, recipe=name), start) for name in task.recipes.rows]
    folder = Path(request.data).resolve() if Path(request.data).is_dir() else request.data
    asked = {
        "task": task.name,
        "model": {"name": start.model, "options": start.options, "weights": start.weights},
        "data": {"name": request.data if request.data in task.embedded else str(folder)},
        "training": [_known_early(found, request.changes) for found in recipes],
        "seed": request.seed,
    }
    return json.loads(json.dumps(asked, default=str))


def _known_early(recipe, changes):
    """Returns the fields of a recipe that do not depend on the data or on earlier epochs."""
    known = {name: value for name, value in asdict(recipe).items() if value is not None}
    for name in ("epochs", "frozen_epochs", "augmentation"):
        known.pop(name, None)
    return {**known, "augmentation": changes.get("augmentation") or {}}


def _finish(task, run, data, record, learning, history, say):
    """Tests the best model, plots, and writes `metrics.json`, which marks a run as finished."""
    split = "test" if data.num_examples["test"] else "validation"
    evaluation = task.evaluate(run.load_model(), data, [split], record)
    written = set()
    for name, image in task.example_files(data, split, record):
        numbered = (f"{name}-{number}" for number in count(2))
        name = next(free for free in chain([name], numbered) if free not in written)
        written.add(name)
        with run.writing(run.free_path(run.examples / f"{name}.png")) as path:
            to_pillow(image).save(path)
    seconds = learning.seconds(history)
    title = f"{run.path.name}: {split} images"
    figures = learning.figures(history)
    figures |= {name: draw(title) for name, draw in evaluation.figures.items()}
    plots = [run.save_figure(name, figure) for name, figure in figures.items()]
    metrics = {
        split: evaluation.numbers,
        **learning.numbers(history),
        "training_seconds": round(seconds, 1),
    }
    run.write_json(run.metrics_path, metrics)
    say(f"{split} {evaluation.line}, trained in {seconds:.0f} s")
    say(f"model:       {run.model_path}")
    for plot in plots:
        say(f"plot:        {plot}")
