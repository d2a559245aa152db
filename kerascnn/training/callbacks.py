"""What happens at the end of every epoch of a run."""

import csv
import time
import warnings
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from kerascnn.storage.checkpoints import BrokenCheckpointWarning


def read_history(path):
    """Rows of a `history.csv` as dicts of numbers."""
    if not Path(path).is_file():
        return []
    with open(path, newline="") as file:
        rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    return [{**row, "epoch": int(row["epoch"])} for row in rows]


def chosen_metric(row):
    """The name of the metric that a row of the history has beside the loss."""
    names = [key.removeprefix("val_") for key in row if key.startswith("val_")]
    return next(name for name in names if name != "loss")


def best_epoch(rows):
    """The row of the epoch with the best metric in validation; of equals, with the lowest loss."""
    key = f"val_{chosen_metric(rows[0])}"
    return max(rows, key=lambda row: (row[key], -row["val_loss"]))


class Record(keras.callbacks.Callback):
    """Writes history and best model at the end of every epoch.

    What it knows is part of a checkpoint (`Resume`), so that both files can be written again.

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
        """What a checkpoint has: the rows, the best weights and the seconds of this epoch."""
        return {"rows": self.rows, "best": self._best, "seconds": self._elapsed()}

    def resume_from(self, state):
        """Continues from a checkpoint; writes the files again that are not as the run left them."""
        self.rows = [{**row, "epoch": int(row["epoch"])} for row in state["rows"]]
        self._best = state["best"]
        self._seconds, self._began = state["seconds"], time.perf_counter()
        if not self.rows:
            return
        if not _begins_with(self.run.history_path, self.rows):
            _warn(f"{self.run.history_path} is damaged and is written again from a checkpoint.")
            self._write_history()
        if not self.run.is_intact(self.run.model_path):
            _warn(f"{self.run.model_path} is damaged and is written again from a checkpoint.")
            self._write_best()

    def on_epoch_begin(self, epoch, logs=None):
        self._seconds, self._began = 0.0, time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        row = {"epoch": epoch + 1, **_of_main_output(logs, self.model), "seconds": self._elapsed()}
        self.rows.append({name: _plain(value) for name, value in row.items()})
        self._write_history()
        if best_epoch(self.rows) is self.rows[-1]:
            with averaged_weights(self.model):
                weights = inference_model(self.model).weights
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
        model = inference_model(self.model)
        before = model.get_weights()
        model.set_weights(self._best)
        try:
            with self.run.writing(self.run.model_path) as temporary:
                model.save(temporary)
        finally:
            model.set_weights(before)


class EarlyEnd(keras.callbacks.Callback):
    """Ends a training that no longer improves, or is good enough.

    Args:
        record: `Record` of the epochs.
        recipe: `Recipe`, for its `patience` and `stop_at`.
        begin: int, the epochs before the last phase of the recipe.
    """

    def __init__(self, record, recipe, begin=0):
        super().__init__()
        self.record, self.recipe, self.begin = record, recipe, begin

    def resume_state(self):
        """Nothing: the rows of the record say it all."""
        return {}

    def resume_from(self, state):
        """Does nothing."""

    def is_over(self):
        """Whether the epochs so far are enough."""
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
    """Whether a `history.csv` has these rows first."""
    try:
        return read_history(path)[: len(rows)] == rows
    except (ValueError, KeyError, TypeError, OSError):
        return False


def _plain(value):
    return value if isinstance(value, int) else float(value)


def _warn(sentence):
    warnings.warn(sentence, BrokenCheckpointWarning, stacklevel=2)


def _of_main_output(logs, model):
    """The losses and the metric of a model's first output, named as without auxiliary heads."""
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


def inference_model(model):
    """A model as it is used: without the state of its training and without auxiliary heads.

    Args:
        model: `keras.Model`; its first output is kept.

    Returns:
        `keras.Model` with the same weights.
    """
    if not getattr(model, "outputs", None):  # a model of code, not of layers
        return model
    # A list of one input would make Keras warn whenever the model is called with a tensor.
    inputs = model.inputs[0] if len(model.inputs) == 1 else model.inputs
    return keras.Model(inputs, model.outputs[0], name=model.name)


@contextmanager
def averaged_weights(model):
    """Puts the moving averages of the weights into their place, where the optimizer has any."""
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
    """A bar over all epochs with the latest metrics; silent where standard error is no terminal.

    Used as a context, so that the terminal is put in order when training is interrupted.
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
        # No more than fits into 80 columns beside the bar; history.csv has them all.
        found = _of_main_output(logs, self.model)
        key = f"val_{chosen_metric(found)}"
        metrics = f"loss {found['loss']:.4f}  {key} {found[key]:.4f}"
        self.bar.update(self.task, completed=(epoch + 1) * self.steps, metrics=metrics)
