"""A callback to resume training exactly where it stopped."""

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from kerascnn.backend.private_keras import start_at_epoch
from kerascnn.backend.torch_random import generator_states, set_generator_states
from kerascnn.data import order
from kerascnn.storage.checkpoints import Checkpoint, Checkpoints
from kerascnn.training.errors import DivergedError, Interrupted
from kerascnn.training.frequency import frequency
from kerascnn.training.replay import Replay
from kerascnn.training.state import (
    callback_state,
    is_finite,
    model_state,
    packed,
    random_state,
    restore_callback,
    restore_model,
    restore_random,
    unpacked,
)


class Resume(keras.callbacks.Callback):
    """Writes checkpoints, and resumes `model.fit` from the last one, bit for bit.

    If the same program is started again, it ends with the same weights, history and metrics, bit
    for bit, even if it was killed within an epoch. A checkpoint has the weights, the states of
    `keras.random.SeedGenerator` (dropout), the variables of the optimizer with its moving averages,
    the sums of losses and metrics, the state of callbacks, and the history. (Keras 3.15's
    `BackupAndRestore` leaves out the seed generators, the metrics and the callbacks, and starts an
    interrupted epoch again with its intermediate weights.) The last two checkpoints are kept. They
    are written atomically, with a checksum; if one is damaged, a warning names it and the previous
    one is used.

    Exact results also depend on the data: batch `k` of epoch `e` must be the same in every process.
    This holds for

    - the pipelines of `kerascnn.data`, which start at any batch without reading the skipped ones;
    - `kerascnn.data.by_epoch`, and any `tf.data.Dataset` that is the same in every epoch;
    - a `keras.utils.PyDataset` whose order is fixed, is shuffled by `fit(shuffle=True)`, or is
      drawn in `on_epoch_begin` from a seed and `kerascnn.data.current_epoch()`.

    It does not hold for `tf.data.Dataset.shuffle` with `reshuffle_each_iteration=True` (the
    default), stateful random numbers in `tf.data`, NumPy arrays that `fit` shuffles on TensorFlow,
    and pipelines with nondeterministic order. Random operations in a model need a
    `keras.random.SeedGenerator` that is an attribute of their layer, as in Keras's own layers.

    All pipelines except `kerascnn.data`'s read batches that were already trained on again,
    and the callback discards these batches.

    A folder belongs to one training: with a larger `epochs` than before, `fit` continues; otherwise
    it returns at once with the history. For a new training, choose another folder.

    Args:
        folder: str or path of the checkpoint folder.
        every: int or str, number of steps or time (`"30s"`, `"5m"`, `"1h"`) between checkpoints; a
            checkpoint is also written after every epoch. With `steps_per_execution`, checkpoints
            are written only between executions.
        callbacks: other callbacks of `fit` whose state is saved, such as `EarlyStopping` or
            `SwapEMAWeights`. The state is the return value of a method `resume_state()`, which is
            passed to a method `resume_from(state)`, or else all attributes that are not constructor
            arguments. They must come before this callback in the list of `fit`.

    Raises:
        UsageError: if `every` is wrong, or (in `fit`) the checkpoints belong to another model.
        kerascnn.training.errors.DivergedError: in `fit`, if the loss or a weight is not finite.
        OSError: in `fit`, if a checkpoint cannot be written; the earlier ones are intact.

    Example:
        >>> import tempfile
        >>> import keras
        >>> import kerascnn
        >>> digits = kerascnn.data.load_classification("digits")
        >>> model = keras.Sequential(
        ...     [keras.Input(digits.image_shape), keras.layers.Flatten(), keras.layers.Dense(10)]
        ... )
        >>> model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     resume = kerascnn.training.Resume(folder, every="30s")
        ...     train = digits.pipeline("train")
        ...     history = model.fit(train, epochs=2, callbacks=[resume], verbose=0)
        ...     again = model.fit(train, epochs=2, callbacks=[resume], verbose=0)
        >>> history.history["loss"] == again.history["loss"], again.epoch
        (True, [0, 1])
    """

    def __init__(
        self,
        folder: str | Path | Checkpoints,
        *,
        every: int | str = "5m",
        callbacks: Sequence[keras.callbacks.Callback] = (),
    ) -> None:
        super().__init__()
        self.checkpoints = folder if isinstance(folder, Checkpoints) else Checkpoints(folder)
        self.callbacks = tuple(callbacks)
        self.every_steps, self.every_seconds = frequency(every)
        self.signals: Any = None
        self.advice = ""
        self.first_epoch = 0
        self._coming = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._history: dict[str, Any] = {"epoch": [], "history": {}}
        self._replay = None
        checkpoint = self.checkpoints.load()
        if checkpoint is None:
            return
        known = unpacked(checkpoint.facts, checkpoint.arrays)
        self._history = known["history"]
        if (checkpoint.epoch, checkpoint.batch) <= (self.first_epoch, 0):
            return
        if not self.model.built:
            raise ValueError(
                "The model must be built before a training can resume: call it on a batch of data, "
                "or start it with a `keras.Input`."
            )
        restore_model(self.model, checkpoint.arrays, checkpoint.path, ["model", "optimizer"])
        restore_random(known["random"])
        set_generator_states(known["torch"])
        self._restore_callbacks(known)
        ended = known["stopped"] and not checkpoint.batch
        start_at_epoch(self.model, self.params["epochs"] if ended else checkpoint.epoch)
        if not ended and checkpoint.epoch < self.params["epochs"]:
            self._coming = checkpoint

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        start_at_epoch(self.model, None)
        self.epoch, self.batches = epoch, 0
        self._last_time, self._last_batch = time.monotonic(), 0
        checkpoint, self._coming = self._coming, None
        self._give_history()
        self._random = random_state()
        order.begin_epoch(epoch, checkpoint.batch if checkpoint else 0)
        if checkpoint is None:
            return
        if checkpoint.epoch != epoch:
            raise ValueError(
                f"{checkpoint.path} was written in epoch {checkpoint.epoch}, and `fit` begins with "
                f"epoch {epoch}: call `fit` with initial_epoch={checkpoint.epoch}."
            )
        known = unpacked(checkpoint.facts, checkpoint.arrays)
        if checkpoint.batch:
            self._restore_callbacks(known)
            self._replay = Replay(
                self.model,
                checkpoint,
                done=lambda: self._restore_late(known),
                is_last=checkpoint.batch == self.params["steps"],
            )

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self._replay is not None and self._replay.left:
            return
        self.batches = min(batch + 1, self.params["steps"] or batch + 1)
        if self._replay is not None:  # the last skipped step
            self._replay.end()
            self._replay = None
            self._last_batch = self.batches
            return
        loss = (logs or {}).get("loss")
        if loss is not None and not math.isfinite(loss):
            raise self._diverged(f"the loss was {float(loss)}")
        stopped = self.signals is not None and self.signals.received
        if stopped or self._is_due():
            self._save(self.epoch, self.batches, logs)
        if stopped:
            raise Interrupted(stopped, self.checkpoints.last())

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self._replay is not None:  # no batches were left to train on
            self._replay.end()
            self._replay = None
        self._random = random_state()
        self._history["epoch"].append(epoch)
        for name, value in (logs or {}).items():
            self._history["history"].setdefault(name, []).append(float(value))
        self._save(epoch + 1, 0, logs)
        if self.signals is not None and self.signals.received:
            raise Interrupted(self.signals.received, self.checkpoints.last())

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        start_at_epoch(self.model, None)
        order.end_training()
        self._give_history()

    def _is_due(self):
        if self.batches == self.params["steps"]:  # the end of the epoch writes a checkpoint
            return False
        if self.every_steps is not None:
            return self.batches - self._last_batch >= self.every_steps
        return time.monotonic() - self._last_time >= self.every_seconds

    def _save(self, epoch, batch, logs):
        if not is_finite(self.model):
            raise self._diverged("a weight was not a number")
        arrays = model_state(self.model)
        facts = {
            "logs": {name: float(value) for name, value in (logs or {}).items()},
            "history": self._history,
            "random": self._random,
            "torch": generator_states(),
            "stopped": bool(self.model.stop_training),
            "callbacks": [callback_state(callback) for callback in self.callbacks],
        }
        facts = packed(facts, arrays, "facts")
        self.checkpoints.save(Checkpoint(epoch, batch, arrays, facts))  # pyright: ignore[reportArgumentType]
        self._last_time, self._last_batch = time.monotonic(), batch

    def _restore_late(self, known):
        """Restores the state that skipped steps have changed."""
        self._restore_callbacks(known)
        set_generator_states(known["torch"])

    def _restore_callbacks(self, known):
        for callback, state in zip(self.callbacks, known["callbacks"], strict=False):
            restore_callback(callback, state)

    def _give_history(self):
        """Adds earlier epochs to Keras's own history, which `fit` clears at its start."""
        found = getattr(self.model, "history", None)
        if isinstance(found, keras.callbacks.History):
            found.epoch = list(self._history["epoch"])
            found.history = {name: list(row) for name, row in self._history["history"].items()}

    def _diverged(self, what):
        rate = float(np.asarray(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate)))
        path = self.checkpoints.last()
        last = f"The last good checkpoint is {path}." if path else "There is no checkpoint yet."
        return DivergedError(
            f"The training diverged: in epoch {self.epoch + 1}, step {self.batches}, {what} at a "
            f"learning rate of {rate:.3g}. {last} It would diverge there again: start a new run "
            f"with a lower learning rate{self.advice}."
        )
