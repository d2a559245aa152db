"""Trains a model by a recipe into a run folder."""

from dataclasses import asdict

import keras

from kerascnn.training.callbacks import ProgressBar, Record
from kerascnn.training.run_folder import RunFolder

# As many steps run in one call: TensorFlow's overhead of a call is then hardly felt.
_STEPS_PER_EXECUTION = 20


def fit(model, data, recipe, run_dir, facts=None, command="", progress=True):
    """Trains a classifier and keeps the epoch that was best in validation.

    Writes `recipe.json`, `history.csv`, `model.keras` (best), `checkpoints/` and `events/` (for
    TensorBoard) into the folder. Called again on an unfinished folder, it goes on after the last
    epoch that was completed.

    Args:
        model: `keras.Model` from images to logits.
        data: `{"train": ..., "validation": ...}`, finite `tf.data` pipelines of batches of images
            and int labels, as `kerascnn.data.load` makes them.
        recipe: `Recipe`.
        run_dir: str or path of the run folder.
        facts: optional dict, what else decides the outcome and belongs into `recipe.json`: the
            model, the data, the seed.
        command: str, how the run was started.
        progress: bool, whether to show a progress bar where standard error is a terminal.

    Returns:
        list with a dict of numbers per epoch: the metrics, and the seconds it took.

    Raises:
        FileExistsError: if the folder holds something else than an unfinished run of the same kind.
        RuntimeError: if the loss is no longer a number.
    """
    run = RunFolder(run_dir)
    run.begin({**(facts or {}), "training": asdict(recipe)}, command)
    steps = len(data["train"])
    on_torch = keras.backend.backend() == "torch"
    model.compile(
        optimizer=recipe.optimizer(recipe.epochs * steps),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        # Keras takes one step at a time on PyTorch.
        steps_per_execution=1 if on_torch else min(_STEPS_PER_EXECUTION, steps),
    )
    record = Record(run)
    initial_epoch = record.resume(model)
    with ProgressBar(initial_epoch, recipe.epochs, steps, visible=progress) as bar:
        model.fit(
            data["train"],
            validation_data=data["validation"],
            initial_epoch=initial_epoch,
            epochs=recipe.epochs,
            shuffle=False,  # the pipeline does that
            callbacks=[record, keras.callbacks.TensorBoard(run.events), bar],
            verbose=0,
        )
    return record.rows
