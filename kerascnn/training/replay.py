"""Steps of a resumed epoch that are not trained again."""

from kerascnn.arguments import UsageError
from kerascnn.backend.private_keras import make_metrics
from kerascnn.training.state import has_metrics, restore_model


class Replay:
    """Takes the place of `model.train_function` for the steps that a checkpoint has behind it.

    Keras begins an epoch with its first batch. Each batch that was trained on is taken from the
    pipeline once more and thrown away; those of kerascnn are empty then. So steps keep their
    numbers, for callbacks and progress bars too.

    Args:
        model: compiled `keras.Model` whose variables, but for metrics, are those of the checkpoint.
        checkpoint: `Checkpoint` in the middle of an epoch.
        done: function that is called before the first step that is trained.
        is_last: bool, whether the checkpoint has all batches of the epoch behind it.

    Raises:
        UsageError: if `steps_per_execution` is not that of before.
    """

    def __init__(self, model, checkpoint, done, is_last=False):
        if checkpoint.batch % model.steps_per_execution and not is_last:
            raise UsageError(
                f"{checkpoint.path} was written after {checkpoint.batch} steps, which is no "
                "multiple of the steps that are executed together: compile the model with the "
                f"`steps_per_execution` of before; got {model.steps_per_execution}."
            )
        self.model, self.checkpoint, self.done = model, checkpoint, done
        self.train_function = model.train_function
        self.left = checkpoint.batch
        model.train_function = self
        # Keras on TensorFlow makes the metrics' variables in the first step.
        self.waiting = not has_metrics(model, checkpoint.arrays)
        if not self.waiting:
            self._restore_metrics()

    def __call__(self, *arguments):
        """Skips the batches of a call of the train function, or trains on them."""
        if not self.left:
            self.end()
            return self.train_function(*arguments)
        *state, batches = arguments  # on JAX, the variables come first
        self._skip(batches)
        logs = dict(self.checkpoint.facts["logs"])
        return (logs, *state) if state else logs

    def end(self):
        """Gives the model its train function back."""
        if self.model.train_function is self:
            self.model.train_function = self.train_function
            self.done()

    def _skip(self, batches):
        count = min(self.left, self.model.steps_per_execution)
        self.left -= count
        if isinstance(batches, list):  # on PyTorch, Keras has taken them already
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
