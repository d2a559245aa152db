"""Trains a model with a recipe, and writes a run folder."""

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras

from kerascnn.arguments import UsageError
from kerascnn.data import order
from kerascnn.losses import loss_for
from kerascnn.metrics import accuracy
from kerascnn.storage.atomic_write import full_disk
from kerascnn.storage.checkpoints import Checkpoints
from kerascnn.storage.run_folder import RunFolder
from kerascnn.training.callbacks import EarlyEnd, ProgressBar, Record
from kerascnn.training.errors import OutOfMemoryError, is_full_disk, is_lack_of_memory
from kerascnn.training.recipe import Recipe
from kerascnn.training.resume import Resume
from kerascnn.training.stop_signals import StopSignals

# Steps per call, which make TensorFlow's overhead of a call negligible.
_STEPS_PER_EXECUTION = 20
# The weight of an auxiliary head's loss next to the loss of the main output (Szegedy et al., 2015).
_AUXILIARY_WEIGHT = 0.3


def fit(
    model: keras.Model,
    data: dict[str, Any],
    recipe: Recipe,
    run_dir: str | Path | RunFolder,
    *,
    facts: dict[str, Any] | None = None,
    command: str = "",
    progress: bool = True,
    loss: keras.losses.Loss | None = None,
    metric: Any = accuracy,
    head: Sequence[str] | None = None,
    checkpoint_every: int | str = "5m",
) -> list[dict[str, Any]]:
    """Trains a model, and keeps the epoch with the best validation metric.

    Writes `recipe.json`, `history.csv`, `model.keras` (best), `checkpoints/` and `events/` (for
    TensorBoard) into the folder. Called again on an unfinished folder, it resumes from the last
    checkpoint, and ends with the same weights, history and scores, bit for bit, as an uninterrupted
    training; see `Resume` for what this requires of the data. Called with more epochs on a finished
    folder, it continues with the learning rate that a training of this many epochs has at that
    point. Other processes can read the folder during a training, but cannot train in it.

    SIGINT (Ctrl+C) and SIGTERM stop a training after its current step, or at the end of a
    validation, once a checkpoint is written.

    Args:
        model: `keras.Model` from images to logits, or to whatever `loss` compares with the labels,
            built in the recipe's precision (`precision_scope`). Further outputs are logits of
            auxiliary heads, which are trained on the same labels and left out of `model.keras`.
        data: `{"train": ..., "validation": ...}`, finite `tf.data` pipelines of batches of images
            and labels, such as the pipelines of `kerascnn.data`, or `keras.utils.PyDataset`
            objects.
        recipe: `Recipe`.
        run_dir: str or path of the run folder, or a `RunFolder`.
        facts: optional dict, everything else that determines the result and belongs in
            `recipe.json`: the model, the data, the seed.
        command: str, the command that started the run.
        progress: bool, whether to show a progress bar if standard error is a terminal.
        loss: optional `keras.losses.Loss`; by default the classification loss
            `loss_for(model, recipe.label_smoothing)`.
        metric: function of labels and outputs, or `keras.metrics.Metric`; a larger validation value
            means a better epoch.
        head: optional names of the layers that are trained in the recipe's frozen epochs; by
            default the last layer with weights, and the same layer of auxiliary heads. Layers that
            were frozen before the call stay frozen.
        checkpoint_every: int or str, number of steps or time (`"30s"`, `"5m"`, `"1h"`) between
            checkpoints; a checkpoint is also written after every epoch.

    Returns:
        list with a dict of numbers per epoch: loss and metric in training and in validation (as
        `val_...`), and the duration in seconds.

    Raises:
        ValueError: if the model does not compute in the recipe's precision.
        FileExistsError: if the folder holds anything other than an unfinished run of the same kind.
        RunInUseError: if another process is training in the folder.
        kerascnn.training.errors.DivergedError: if the loss or a weight is not finite.
        kerascnn.training.errors.OutOfMemoryError: if a step runs out of memory.
        kerascnn.training.errors.Interrupted: if a signal stops the training.
        OSError: if a file cannot be written; the last checkpoint is intact.

    Example:
        >>> import tempfile
        >>> import keras
        >>> import kerascnn
        >>> digits = kerascnn.data.load_classification("digits")
        >>> data = {split: digits.pipeline(split) for split in ("train", "validation")}
        >>> model = keras.Sequential(
        ...     [keras.Input(digits.image_shape), keras.layers.Flatten(), keras.layers.Dense(10)]
        ... )
        >>> recipe = kerascnn.training.Recipe(epochs=1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     history = kerascnn.training.fit(model, data, recipe, f"{folder}/run")
        >>> [row["epoch"] for row in history]
        [1]
    """
    _check_precision(model, recipe.precision)
    loss = loss or loss_for(model, recipe.label_smoothing)
    run = run_dir if isinstance(run_dir, RunFolder) else RunFolder(run_dir)
    record = Record(run)
    end = EarlyEnd(record, recipe, recipe.frozen_epochs)
    resume = Resume(Checkpoints.of_run(run), every=checkpoint_every, callbacks=[record, end])
    resume.advice = ", or with a longer warm-up"
    with run.locked(command):
        run.begin({**(facts or {}), "training": asdict(recipe)}, command)
        run.list_events()
        with StopSignals() as resume.signals:
            _fit(model, data, recipe, run, progress, loss, metric, head, resume)
    return record.rows


def _fit(model, data, recipe, run, progress, loss, metric, head, resume):
    checkpoint = resume.checkpoints.load()
    epochs, batches = (checkpoint.epoch, checkpoint.batch) if checkpoint else (0, 0)
    if checkpoint:  # a process may have been killed after it wrote the checkpoint
        run.delete_replaced()
    data = {split: _for_every_output(dataset, model) for split, dataset in data.items()}
    steps = len(data["train"])
    callbacks = [*resume.callbacks, keras.callbacks.TensorBoard(run.events)]
    if recipe.ema:
        callbacks.insert(0, keras.callbacks.SwapEMAWeights())
    trunk = _trunk(model, head) if recipe.frozen_epochs else []
    with ProgressBar(epochs, recipe.epochs, steps, visible=progress) as bar:
        for phase in _phases(recipe):
            if (epochs, batches) > (phase.end, 0):
                continue
            resume.first_epoch = phase.begin
            with _resting(trunk if phase.frozen else ()), _lack_explained(resume, run):
                _compile(model, recipe, loss, metric, phase, steps)
                model.fit(
                    data["train"],
                    validation_data=data["validation"],
                    initial_epoch=max(epochs, phase.begin),
                    epochs=phase.end,
                    shuffle=False,  # the pipeline shuffles
                    callbacks=[*callbacks, bar, resume],
                    verbose=0,
                )


@contextmanager
def _lack_explained(resume, run):
    """Converts errors of all backends to `OutOfMemoryError`, and of full disks to `WriteError`."""
    try:
        yield
    except Exception as error:
        if not isinstance(error, OSError) and is_full_disk(error):
            raise full_disk(run.events) from error
        if not is_lack_of_memory(error):
            raise
        path = resume.checkpoints.last()
        last = f"The last checkpoint is {path}." if path else "There is no checkpoint yet."
        raise OutOfMemoryError(
            f"A training step ran out of memory. {last} Start a new run with a smaller batch "
            "(`--batch-size`) or smaller images, or close other programs."
        ) from error
    finally:
        order.end_training()


@dataclass(frozen=True)
class _Phase:
    """Epochs from `begin` to `end` with one learning rate schedule."""

    begin: int
    end: int
    learning_rate: float
    frozen: bool


def _trunk(model, head):
    """Returns the trainable layers that are frozen in the first epochs."""
    learning = [layer for layer in model.layers if layer.trainable_weights]
    if head is None:
        answers = {id(output) for output in model.outputs}
        head = [layer.name for layer in learning if id(layer.output) in answers]
        head.append(learning[-1].name)
    trunk = [layer for layer in learning if layer.name not in head]
    return [leaf for layer in trunk for leaf in _leaves(layer) if leaf.trainable]


@contextmanager
def _resting(layers):
    """Freezes layers within the context."""
    for layer in layers:
        layer.trainable = False
    try:
        yield
    finally:
        for layer in layers:
            layer.trainable = True


def _leaves(layer):
    """Returns the layer, or its layers if it is a model."""
    if not isinstance(layer, keras.Model):
        return [layer]
    return [leaf for inner in layer.layers for leaf in _leaves(inner)]


def _phases(recipe):
    rest = _Phase(recipe.frozen_epochs, recipe.epochs, recipe.learning_rate, frozen=False)
    if not recipe.frozen_epochs:
        return [rest]
    return [_Phase(0, recipe.frozen_epochs, recipe.frozen_learning_rate, frozen=True), rest]


def _compile(model, recipe, loss, metric, phase, steps):
    optimizer = recipe.make_optimizer(
        (phase.end - phase.begin) * steps,
        0 if phase.frozen else round(recipe.warmup_epochs * steps),
        phase.learning_rate,
    )
    optimizer.exclude_from_weight_decay(
        var_list=[weight for weight in model.trainable_variables if len(weight.shape) < 2]
    )
    heads = len(model.outputs) - 1
    one_at_a_time = keras.backend.backend() == "torch"  # Keras supports nothing else there
    model.compile(
        optimizer=optimizer,
        loss=[loss] * (1 + heads) if heads else loss,
        loss_weights=[1.0] + heads * [_AUXILIARY_WEIGHT] if heads else None,
        metrics=[[metric]] + heads * [[]] if heads else [metric],
        steps_per_execution=1 if one_at_a_time else min(_STEPS_PER_EXECUTION, steps),
        jit_compile=jit_compile(recipe),
    )


def jit_compile(recipe):
    """Returns the argument `jit_compile` of `compile`.

    By default, Keras compiles with XLA on JAX, and on TensorFlow if it has more than a CPU.
    """
    return "auto" if recipe.xla or keras.backend.backend() == "jax" else False


def _for_every_output(dataset, model):
    """Returns a pipeline that also passes the labels to auxiliary heads."""
    outputs = len(model.outputs)
    if outputs == 1:
        return dataset
    if isinstance(dataset, keras.utils.PyDataset):
        raise UsageError(
            f"`data` must be `tf.data` pipelines for a model with {outputs} outputs; got a "
            "`keras.utils.PyDataset`."
        )
    return dataset.map(lambda images, labels: (images, (labels,) * outputs))


def _check_precision(model, precision):
    found = {layer.compute_dtype for layer in model.layers if layer.weights}
    wanted = keras.DTypePolicy(precision).compute_dtype
    # In mixed precision, some layers still compute in float32.
    if wanted not in found or (wanted == "float32" and found != {"float32"}):
        raise UsageError(
            f"`model` must compute in the recipe's precision {precision!r}; it computes in "
            f"{', '.join(sorted(found))}: build it in "
            f"`kerascnn.training.precision_scope({precision!r})`."
        )
