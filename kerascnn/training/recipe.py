"""Training hyperparameters."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import keras

from kerascnn.arguments import UsageError, at_least_one, one_of
from kerascnn.data import Augmentation

OPTIMIZERS = ("adamw", "sgd")
SCHEDULES = ("constant", "cosine", "steps")
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")


@dataclass(frozen=True)
class Recipe:
    """A set of training hyperparameters.

    Args:
        epochs: int, number of epochs.
        batch_size: int, images per step.
        optimizer: `"adamw"`, or `"sgd"` with Nesterov momentum of 0.9.
        learning_rate: float, the peak learning rate.
        schedule: how the learning rate continues from the peak: `"cosine"`, down to zero;
            `"steps"`, a tenth after half of the steps and a hundredth after three quarters; or
            `"constant"`.
        warmup_epochs: float, number of epochs in which the learning rate rises from zero
            (`"cosine"`) or is a tenth of the peak (`"steps"`, as for the paper's ResNet-110).
        weight_decay: float, the fraction by which a step shrinks a kernel, times the learning rate;
            biases and the scales and shifts of normalization do not decay. It is decoupled from the
            gradient: with momentum 0.9, use ten times the papers' factor of the L2 loss.
        label_smoothing: float, the fraction of a label that is spread evenly over all classes.
        ema: float, momentum of the moving average of the weights, which is validated and saved
            instead of the weights; 0 for none.
        frozen_epochs: int, number of first epochs that train only the head (see `fit`), so that a
            new head does not disturb the pretrained weights. Both phases have a complete schedule.
        frozen_learning_rate: float, the peak learning rate in the frozen epochs.
        patience: int, number of epochs without improvement after which the training ends, or
            `None`. Frozen epochs do not count.
        stop_at: float, validation metric at which the training ends, or `None`.
        precision: `"float32"`, `"mixed_bfloat16"` or `"mixed_float16"`; build the model in its
            `precision_scope`.
        xla: bool, whether TensorFlow compiles a step with XLA on an accelerator; on CPUs, where it
            would be slower, it never does.
        augmentation: `kerascnn.data.Augmentation` of the training images.

    Raises:
        ValueError: if a number is out of range or a name is unknown.

    Reference:
        AdamW and cosine: [Loshchilov and Hutter, 2019](https://arxiv.org/abs/1711.05101)

    Example:
        >>> import kerascnn
        >>> recipe = kerascnn.training.Recipe(epochs=4, optimizer="sgd", learning_rate=0.1)
        >>> recipe.batch_size
        128
    """

    epochs: int
    batch_size: int = 128
    optimizer: str = "adamw"
    learning_rate: float = 2e-3
    schedule: str = "cosine"
    warmup_epochs: float = 0.0
    weight_decay: float = 1e-2
    label_smoothing: float = 0.0
    ema: float = 0.0
    frozen_epochs: int = 0
    frozen_learning_rate: float = 2e-3
    patience: int | None = None
    stop_at: float | None = None
    precision: str = "float32"
    xla: bool = True
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self):
        for name in ("epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise UsageError(f"`{name}` must be at least 1; got {name}={getattr(self, name)}.")
        for name in (
            "learning_rate",
            "weight_decay",
            "warmup_epochs",
            "frozen_learning_rate",
        ):
            if not 0 <= getattr(self, name) < float("inf"):
                raise UsageError(
                    f"`{name}` must be finite and at least 0; got {name}={getattr(self, name)}."
                )
        if self.patience is not None:
            at_least_one(self.patience, "patience")
        if self.stop_at is not None and not math.isfinite(self.stop_at):
            raise UsageError(f"`stop_at` must be finite; got stop_at={self.stop_at}.")
        for name in ("label_smoothing", "ema"):
            value = getattr(self, name)
            if not 0 <= value < 1:
                raise UsageError(f"`{name}` must be in [0, 1); got {name}={value}.")
        if not 0 <= self.frozen_epochs < self.epochs:
            raise UsageError(
                "`frozen_epochs` must be an int in [0, epochs); "
                f"got frozen_epochs={self.frozen_epochs} with epochs={self.epochs}."
            )
        one_of(self.optimizer, OPTIMIZERS, "optimizer")
        one_of(self.schedule, SCHEDULES, "schedule")
        one_of(self.precision, PRECISIONS, "precision")

    def make_optimizer(
        self, steps: int, warmup_steps: int = 0, learning_rate: float | None = None
    ) -> keras.optimizers.Optimizer:
        """Returns the optimizer for a training of `steps` steps.

        Args:
            steps: int.
            warmup_steps: int, number of warm-up steps among them.
            learning_rate: float, peak learning rate; by default the recipe's.
        """
        highest = self.learning_rate if learning_rate is None else learning_rate
        rate: Any = self._schedule(steps, warmup_steps, highest)
        ema = {"use_ema": True, "ema_momentum": self.ema} if self.ema else {}
        if self.optimizer == "sgd":
            return keras.optimizers.SGD(
                rate, momentum=0.9, nesterov=True, weight_decay=self.weight_decay or None, **ema
            )
        return keras.optimizers.AdamW(rate, weight_decay=self.weight_decay, **ema)

    def _schedule(self, steps, warmup_steps, rate):
        schedules = keras.optimizers.schedules
        if self.schedule == "cosine" and warmup_steps:
            return schedules.CosineDecay(
                0.0, max(steps - warmup_steps, 1), warmup_target=rate, warmup_steps=warmup_steps
            )
        if self.schedule == "cosine":
            return schedules.CosineDecay(rate, steps)
        boundaries, values = [], [rate]
        if self.schedule == "steps":
            boundaries, values = [steps // 2, steps * 3 // 4], [rate, rate / 10, rate / 100]
        if warmup_steps:
            boundaries, values = [warmup_steps, *boundaries], [rate / 10, *values]
        return schedules.PiecewiseConstantDecay(boundaries, values) if boundaries else rate


@contextmanager
def precision_scope(precision: str) -> Iterator[None]:
    """Sets the precision of models that are built in the context.

    Args:
        precision: `"float32"`, `"mixed_bfloat16"` or `"mixed_float16"`.

    Raises:
        ValueError: for any other value.

    Example:
        >>> import keras
        >>> import kerascnn
        >>> with kerascnn.training.precision_scope("mixed_bfloat16"):
        ...     layer = keras.layers.Conv2D(4, 3)
        >>> layer.compute_dtype, layer.variable_dtype
        ('bfloat16', 'float32')
    """
    one_of(precision, PRECISIONS, "precision")
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
