"""What happens at the end of every epoch of a run."""

import csv
import math
import time
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from kerascnn.storage.checkpoints import checkpoint_path, checkpoints, last_checkpoint


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
    """Writes history, best model and checkpoint, in this order, so that no crash loses anything.

    A checkpoint is the last file that an epoch writes: the files before it are written again when
    the run resumes from there. The first one makes the earlier run unnecessary that was cleared for
    this one.

    Args:
        run: `RunFolder`.
    """

    def __init__(self, run):
        super().__init__()
        self.run = run
        self.rows = []

    def epochs_behind(self):
        """How many epochs the run has completed."""
        return last_checkpoint(self.run)[0]

    def resume(self, model, begin=0):
        """Loads the newest checkpoint into a compiled model; returns the epochs behind it.

        A checkpoint of the last epoch of a phase has the state of that phase's optimizer: the model
        that goes on at `begin` already has its weights.
        """
        epoch, path = last_checkpoint(self.run)
        self.rows = read_history(self.run.history_path)[:epoch]
        if epoch > begin:
            model.optimizer.build(model.trainable_variables)
            model.load_weights(path)
        return max(epoch, begin)

    def on_epoch_begin(self, epoch, logs=None):
        self._began = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        if not math.isfinite(logs["loss"]):
            raise RuntimeError(
                f"The training diverged: in epoch {epoch + 1} the loss was {logs['loss']}; "
                "start again with a lower learning rate."
            )
        seconds = time.perf_counter() - self._began
        row = {"epoch": epoch + 1, **_of_main_output(logs, self.model), "seconds": seconds}
        self.rows.append(row)
        with (
            self.run.writing(self.run.history_path) as temporary,
            open(temporary, "w", newline="") as file,
        ):
            writer = csv.DictWriter(file, list(row))
            writer.writeheader()
            writer.writerows(self.rows)
        if best_epoch(self.rows) is row:
            with averaged_weights(self.model), self.run.writing(self.run.model_path) as temporary:
                inference_model(self.model).save(temporary)
        older, path = checkpoints(self.run), checkpoint_path(self.run, epoch + 1)
        with self.run.writing(path) as temporary:
            self.model.save_weights(temporary)
        for other in older:
            if other != path:
                other.unlink()
        self.run.delete_replaced()


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
