"""From the name of a dataset to a finished run folder."""

from dataclasses import replace
from itertools import chain, count

import keras

from kerascnn.arguments import UsageError
from kerascnn.data.images import to_pillow
from kerascnn.runs.earlier_run import continued, is_finished, replacing
from kerascnn.runs.out import check_out, default_out
from kerascnn.runs.record import DataRecord, ModelRecord, RunRecord
from kerascnn.runs.start import start_of
from kerascnn.training import (
    RunFolder,
    inference_model,
    precision_scope,
)
from kerascnn.training.frequency import frequency


def train(task, request, out=None, *, force=False, command="", say=print, checkpoint_every="5m"):
    """Trains a model, tests it, and draws how it learned.

    The same call on an unfinished folder resumes, and ends in the same weights and scores as if it
    had never been stopped. On a finished one it changes nothing, unless `force` is given, or more
    epochs than the run has: it then continues.

    Args:
        task: `kerascnn.tasks.Task`.
        request: `kerascnn.tasks.Request`.
        out: path of the run folder; by default `runs/DATA-MODEL`, with a number if that is taken.
        force: bool, whether an earlier run in the folder is cleared.
        command: str, how the run was started, for people to read; by default the request.
        say: function that is called with every line of the report.
        checkpoint_every: when checkpoints are written besides the end of every epoch: a number of
            steps, or `"30s"`, `"5m"`, `"1h"`.

    Returns:
        `(path of the run folder, whether there was anything to do)`.

    Raises:
        ValueError: if the request cannot be met, with what to change.
        FileExistsError: if the folder holds something else than such a run.
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
    keras.config.set_image_data_format("channels_last")  # what the pipelines give
    request = replace(request, data=request.data or task.embedded[0])
    command = command or repr(request)
    # Faults that can be found before the data are read, which may take a while, are.
    start = start_of(task, request)
    recipe, learning = task.recipe(request, start), task.learning(start)
    if recipe.frozen_epochs and start.weights is None:
        raise UsageError(
            "A recipe with frozen epochs trains the head of a model that has weights: give "
            f"`weights`, or another recipe; got recipe={request.recipe!r}."
        )
    if out is None:
        out = default_out(request.data, start.model, command)
    run = RunFolder(out)
    check_out(
        run.path,
        None if request.data in task.embedded else request.data,
        request.data_dir,
        start.weights if start.weights != "imagenet" else None,
    )
    frequency(checkpoint_every)
    run.check_usable()
    epochs = request.changes.get("epochs")
    if is_finished(run, force, say, epochs):
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
            data_dir=request.data_dir and str(request.data_dir.resolve()),
            **task.describe(data),
        ),
        training=recipe,
        seed=request.seed,
        command=command,
    )
    with run.locked(command):
        if is_finished(run, force, say, epochs):  # by another process, in the meantime
            return run.path, False
        pipelines = {
            split: task.pipeline(data, split, recipe, request.seed, model)
            for split in ("train", "validation")
        }
        with replacing(run, force, say):  # now that nothing is left that could be wrong
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


def _finish(task, run, data, record, learning, history, say):
    """Tests the best model, draws, and writes `metrics.json`, which marks a run as finished."""
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
