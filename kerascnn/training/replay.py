"""Skips the steps of a resumed epoch that were already trained."""

from kerascnn.arguments import UsageError
from kerascnn.backend.private_keras import make_metrics
from kerascnn.training.state import has_metrics, restore_model


class Replay:
    """Replaces `model.train_function` for the steps that a checkpoint has completed.

    Keras begins every epoch with its first batch. Batches that were already trained on are read
    from the pipeline again and discarded; the pipelines of kerascnn make them empty. Steps
    therefore keep their numbers, also for callbacks and progress bars.

    Args:
        model: compiled `keras.Model` whose variables, except metrics, come from the checkpoint.
        checkpoint: `Checkpoint` in the middle of an epoch.
        done: function that is called before the first step that trains.
        is_last: bool, whether the checkpoint has completed all batches of the epoch.

    Raises:
        UsageError: if `steps_per_execution` differs from the first run's.
    """

    def __init__(self, model, checkpoint, done, is_last=False):
        if checkpoint.batch % model.steps_per_execution and not is_last:
            raise UsageError(
                f"{checkpoint.path} was written after {checkpoint.batch} steps, which must be a "
                "multiple of `steps_per_execution`: compile the model with the same "
                f"`steps_per_execution` as before; got {model.steps_per_execution}."
            )
        self.model, self.checkpoint, self.done = model, checkpoint, done
        self.train_function = model.train_function
        self.left = checkpoint.batch
        model.train_function = self
        # Keras on TensorFlow creates the variables of metrics in the first step.
        self.waiting = not has_metrics(model, checkpoint.arrays)
        if not self.waiting:
            self._restore_metrics()

    def __call__(self, *arguments):
        """Skips the batches of one call of the train function, or trains on them."""
        if not self.left:
            self.end()
            return self.train_function(*arguments)
        *state, batches = arguments  # on JAX, the variables come first
        self._skip(batches)
        logs = dict(self.checkpoint.facts["logs"])
        return (logs, *state) if state else logs

    def end(self):
        """Restores the train function of the model."""
        if self.model.train_function is self:
            self.model.train_function = self.train_function
            self.done()

    def _skip(self, batches):
        count = min(self.left, self.model.steps_per_execution)
        self.left -= count
        if isinstance(batches, list):  # on PyTorch, Keras has already read them
            return
        if self.waiting:
            self.waiting = False
            make_metrics(self.model, batches.element_spec)
            if has_metrics(self.model, self.checkpoint.arrays):
                self._restore_metrics()
        for _ in range(count):
            next(batches)

    def _restore_metrics(self):
        restore_model(self.model, self.checkpoint.arrays, self.checkpoint.path, ["metrics"])
