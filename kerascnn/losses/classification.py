"""Losses for classification."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from kerascnn.arguments import UsageError
from kerascnn.layers import RBFOutput
from kerascnn.losses.labels import are_probabilities, as_ints


@keras.saving.register_keras_serializable(package="kerascnn")
class CrossEntropy(keras.losses.Loss):
    """Cross-entropy of logits, for int labels and for vectors of probabilities.

    `-sum over c of p[c] * log(softmax(logits)[c])`, where `p` is the label, one-hot if it is an
    int, with a fraction `label_smoothing` of it spread evenly over all `C` classes. An int label
    outside [0, C) has the same effect as in `keras.losses.SparseCategoricalCrossentropy`: with
    TensorFlow, an error on a CPU and NaN on a GPU.

    Args:
        label_smoothing: float in [0, 1).
        class_weights: optional list of `C` floats that multiply the losses of the examples of each
            class; a label of probabilities has their mean weight.
        **kwargs: `name`, `reduction`, `dtype`.

    Call arguments:
        y_true: int tensor `(batch,)` or float tensor `(batch, C)`.
        y_pred: float tensor `(batch, C)`, logits.

    Raises:
        ValueError: if `label_smoothing` or a weight is out of range.

    Reference:
        label smoothing: [Szegedy et al., 2016](https://arxiv.org/abs/1512.00567), section 7

    Example:
        >>> import keras
        >>> import kerascnn
        >>> loss = kerascnn.losses.CrossEntropy()
        >>> round(float(loss(keras.ops.array([1]), keras.ops.zeros((1, 4)))), 4)  # log(4)
        1.3863
    """

    def __init__(
        self,
        label_smoothing: float = 0.0,
        name: str = "cross_entropy",
        class_weights: Sequence[float] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        if not 0 <= label_smoothing < 1:
            raise UsageError(
                f"`label_smoothing` must be in [0, 1); got label_smoothing={label_smoothing}."
            )
        self.label_smoothing = label_smoothing
        self.class_weights = _checked_weights(class_weights)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        smoothing, classes = self.label_smoothing, y_pred.shape[-1]
        if are_probabilities(y_true, classes):
            target = y_true * (1 - smoothing) + smoothing / classes
            target = ops.cast(target, y_pred.dtype)
            losses = ops.categorical_crossentropy(target, y_pred, from_logits=True)
            return _weighted(losses, y_true, classes, self.class_weights)
        losses = ops.sparse_categorical_crossentropy(as_ints(y_true), y_pred, from_logits=True)
        if smoothing:
            spread = -ops.mean(ops.log_softmax(y_pred), axis=-1)
            losses = (1 - smoothing) * losses + smoothing * spread
        return _weighted(losses, y_true, classes, self.class_weights)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "label_smoothing": self.label_smoothing,
            "class_weights": self.class_weights,
        }


@keras.saving.register_keras_serializable(package="kerascnn")
class RBFLoss(keras.losses.Loss):
    """The loss of LeNet-5 (1998), for logits that are negative distances to prototypes.

    With the distance `d[c]` to the prototype of class `c` and the true class `t`,

        d[t] + log(exp(-margin) + sum over c of exp(-d[c]))

    The first term pulls towards the correct prototype, and the second pushes away from the others,
    up to `margin`, which represents everything that belongs to no class. Labels are checked as in
    `CrossEntropy`.

    Args:
        margin: float, at least 0, the paper's `j`.
        class_weights: as in `CrossEntropy`.
        **kwargs: `name`, `reduction`, `dtype`.

    Call arguments:
        y_true: int tensor `(batch,)` or float tensor `(batch, C)` of probabilities.
        y_pred: float tensor `(batch, C)`, negative distances.

    Raises:
        ValueError: if `margin` is negative.

    Reference:
        [LeCun et al., 1998](http://yann.lecun.com/exdb/publis/pdf/lecun-01a.pdf), equation 9

    Example:
        >>> import keras
        >>> import kerascnn
        >>> loss = kerascnn.losses.RBFLoss(margin=0.0)
        >>> distances = keras.ops.zeros((1, 9))
        >>> round(float(loss(keras.ops.array([3]), -distances)), 4)  # log(1 + 9)
        2.3026
    """

    def __init__(
        self,
        margin: float = 1.0,
        name: str = "rbf_loss",
        class_weights: Sequence[float] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        if not margin >= 0:
            raise UsageError(f"`margin` must be at least 0; got margin={margin}.")
        self.margin = margin
        self.class_weights = _checked_weights(class_weights)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        losses = self._losses(y_true, y_pred)
        return _weighted(losses, y_true, y_pred.shape[-1], self.class_weights)

    def _losses(self, y_true, y_pred):
        others = ops.full_like(y_pred[..., :1], -self.margin)
        pushed = ops.logsumexp(ops.concatenate([others, y_pred], axis=-1), axis=-1)
        if are_probabilities(y_true, y_pred.shape[-1]):
            return pushed - ops.sum(ops.cast(y_true, y_pred.dtype) * y_pred, axis=-1)
        # Computes the distance to the true prototype with a Keras loss, which checks the labels.
        losses = ops.sparse_categorical_crossentropy(as_ints(y_true), y_pred, from_logits=True)
        return pushed + losses - ops.logsumexp(y_pred, axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "margin": self.margin,
            "class_weights": self.class_weights,
        }


def _checked_weights(class_weights):
    if class_weights is None:
        return None
    weights = [float(weight) for weight in class_weights]
    if not all(0 <= weight < float("inf") for weight in weights):
        raise UsageError(
            f"`class_weights` must be finite and at least 0; got class_weights={weights}."
        )
    return weights


def _weighted(losses, y_true, classes, class_weights):
    """Multiplies losses `(batch,)` by the weights of their classes."""
    if class_weights is None:
        return losses
    if len(class_weights) != classes:
        raise UsageError(
            f"`class_weights` must have a weight for each of the {classes} classes; "
            f"got {len(class_weights)}."
        )
    weights = ops.convert_to_tensor(class_weights, losses.dtype)
    if are_probabilities(y_true, classes):
        return losses * ops.sum(ops.cast(y_true, losses.dtype) * weights, axis=-1)
    return losses * ops.take(weights, as_ints(y_true), axis=0)


def loss_for(
    model: keras.Model,
    label_smoothing: float = 0.0,
    class_weights: Sequence[float] | None = None,
) -> keras.losses.Loss:
    """Returns the loss for a classifier: `RBFLoss` for `RBFOutput`, otherwise `CrossEntropy`.

    Args:
        model: `keras.Model`.
        label_smoothing: float, for `CrossEntropy`.
        class_weights: optional list of floats, for both losses.

    Example:
        >>> import kerascnn
        >>> model = kerascnn.models.create_model("lenet5_1998")
        >>> kerascnn.losses.loss_for(model).name
        'rbf_loss'
    """
    if any(isinstance(layer, RBFOutput) for layer in model.layers):
        return RBFLoss(class_weights=class_weights)
    return CrossEntropy(label_smoothing, class_weights=class_weights)
