"""Callbacks of a run: history, best model, early stopping and progress bar."""

import csv
import time
import warnings
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from kerascnn.storage.checkpoints import BrokenCheckpointWarning


def read_history(path):
    """Reads the rows of a `history.csv` as dicts of numbers."""
    if not Path(path).is_file():
        return []
    with open(path, newline="") as file:
        rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    return [{**row, "epoch": int(row["epoch"])} for row in rows]


def chosen_metric(row):
    """Returns the name of the metric in a row of the history, which also has the loss."""
    names = [key.removeprefix("val_") for key in row if key.startswith("val_")]
    return next(name for name in names if name != "loss")


def best_epoch(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Returns the row with the best validation metric; the lowest validation loss breaks ties."""
    key = f"val_{chosen_metric(rows[0])}"
    return max(rows, key=lambda row: (row[key], -row["val_loss"]))


class Record(keras.callbacks.Callback):
    """Writes the history and the best model at the end of every epoch.

    Its state is part of every checkpoint (`Resume`), so that both files can be restored.

    Args:
        run: `RunFolder`.
    """

    def __init__(self, run):
        super().__init__()
        self.run = run
        self.rows = []
        self._best = []
        self._seconds, self._began = 0.0, time.perf_counter()

    def resume_state(self):
        """Returns the state for a checkpoint: rows, best weights and seconds of this epoch."""
        return {"rows": self.rows, "best": self._best, "seconds": self._elapsed()}

    def resume_from(self, state):
        """Resumes from a checkpoint, and rewrites files that the run left in another state."""
        self.rows = [{**row, "epoch": int(row["epoch"])} for row in state["rows"]]
        self._best = state["best"]
        self._seconds, self._began = state["seconds"], time.perf_counter()
        if not self.rows:
            return
        if not _begins_with(self.run.history_path, self.rows):
            _warn(f"{self.run.history_path} is damaged; it is restored from a checkpoint.")
            self._write_history()
        if not self.run.is_intact(self.run.model_path):
            _warn(f"{self.run.model_path} is damaged; it is restored from a checkpoint.")
            self._write_best()

    def on_epoch_begin(self, epoch, logs=None):
        self._seconds, self._began = 0.0, time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        row = {"epoch": epoch + 1, **_of_main_output(logs, self.model), "seconds": self._elapsed()}
        self.rows.append({name: _plain(value) for name, value in row.items()})
        self._write_history()
        if best_epoch(self.rows) is self.rows[-1]:
            with averaged_weights(self.model):
                weights = inference_model(self.model).weights  # pyright: ignore[reportArgumentType]
                self._best = [np.array(keras.ops.convert_to_numpy(weight)) for weight in weights]
            self._write_best()
        self._seconds, self._began = 0.0, time.perf_counter()

    def _elapsed(self):
        return self._seconds + time.perf_counter() - self._began

    def _write_history(self):
        with (
            self.run.writing(self.run.history_path) as temporary,
            open(temporary, "w", newline="") as file,
        ):
            writer = csv.DictWriter(file, list(self.rows[0]))
            writer.writeheader()
            writer.writerows(self.rows)

    def _write_best(self):
        model = inference_model(self.model)  # pyright: ignore[reportArgumentType]
        before = model.get_weights()
        model.set_weights(self._best)
        try:
            with self.run.writing(self.run.model_path) as temporary:
                model.save(temporary)
        finally:
            model.set_weights(before)


class EarlyEnd(keras.callbacks.Callback):
    """Stops a training that no longer improves, or that reaches its target.

    Args:
        record: `Record`, the history of the run.
        recipe: `Recipe`, with `patience` and `stop_at`.
        begin: int, number of epochs before the last phase of the recipe.
    """

    def __init__(self, record, recipe, begin=0):
        super().__init__()
        self.record, self.recipe, self.begin = record, recipe, begin

    def resume_state(self):
        """Returns an empty state: the rows of the record are enough."""
        return {}

    def resume_from(self, state):
        """Does nothing."""

    def is_over(self):
        """Returns whether the training is finished."""
        rows, recipe = self.record.rows, self.recipe
        if not rows or rows[-1]["epoch"] <= self.begin:
            return False
        best = best_epoch(rows)
        if recipe.stop_at is not None and best[f"val_{chosen_metric(best)}"] >= recipe.stop_at:
            return True
        waited = rows[-1]["epoch"] - max(best["epoch"], self.begin)
        return recipe.patience is not None and waited >= recipe.patience

    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = self.model.stop_training or self.is_over()


def _begins_with(path, rows):
    """Returns whether a `history.csv` begins with these rows."""
    try:
        return read_history(path)[: len(rows)] == rows
    except (ValueError, KeyError, TypeError, OSError):
        return False


def _plain(value):
    return value if isinstance(value, int) else float(value)


def _warn(sentence):
    warnings.warn(sentence, BrokenCheckpointWarning, stacklevel=2)


def _of_main_output(logs, model):
    """Returns losses and metric of the first output, named as for a model with one output."""
    if len(model.outputs) == 1:
        return dict(logs)
    main = f"{model.output_names[0]}_"
    named = {}
    for key, value in logs.items():
        split = "val_" if key.startswith("val_") else ""
        name = key.removeprefix(split)
        if name in ("loss", "learning_rate"):
            named[key] = value
        elif name.startswith(main) and name != f"{main}loss":
            named[split + name.removeprefix(main)] = value
    return named


def inference_model(model: keras.Model) -> keras.Model:
    """Returns the model for inference, without training state and auxiliary heads.

    Args:
        model: `keras.Model`; its first output is kept.

    Returns:
        `keras.Model` with the same weights.
    """
    if not getattr(model, "outputs", None):  # a subclassed model
        return model
    # With a list of one input, Keras would warn when the model is called with a tensor.
    inputs = model.inputs[0] if len(model.inputs) == 1 else model.inputs
    return keras.Model(inputs, model.outputs[0], name=model.name)


@contextmanager
def averaged_weights(model):
    """Uses the moving averages as weights within the context, if the optimizer has any."""
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    if not optimizer.use_ema:
        yield
        return
    weights = model.trainable_variables
    raw = [np.array(keras.ops.convert_to_numpy(weight)) for weight in weights]
    optimizer.finalize_variable_values(weights)
    try:
        yield
    finally:
        for weight, value in zip(weights, raw, strict=True):
            weight.assign(value)


class ProgressBar(keras.callbacks.Callback):
    """A progress bar over all epochs with the latest metrics, if standard error is a terminal.

    Use it as a context manager, so that the terminal is restored if training is interrupted.
    """

    def __init__(self, initial_epoch, epochs, steps, visible=True):
        super().__init__()
        columns = (
            TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[metrics]}"),
        )
        console = Console(stderr=True)
        self.bar = Progress(
            *columns, console=console, disable=not (visible and console.is_terminal)
        )
        self.task = self.bar.add_task(
            "training",
            total=epochs * steps,
            completed=initial_epoch * steps,
            epoch=initial_epoch + 1,
            epochs=epochs,
            metrics="",
        )
        self.steps = steps

    def __enter__(self):
        self.bar.start()
        return self

    def __exit__(self, *error):
        self.bar.stop()

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch
        self.bar.update(self.task, epoch=epoch + 1)

    def on_train_batch_end(self, batch, logs=None):
        self.bar.update(self.task, completed=self.epoch * self.steps + batch + 1)

    def on_epoch_end(self, epoch, logs=None):
        # Only as many metrics as fit into 80 columns with the bar; history.csv has all of them.
        found = _of_main_output(logs, self.model)
        key = f"val_{chosen_metric(found)}"
        metrics = f"loss {found['loss']:.4f}  {key} {found[key]:.4f}"
        self.bar.update(self.task, completed=(epoch + 1) * self.steps, metrics=metrics)
