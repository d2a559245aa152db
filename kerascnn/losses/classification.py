"""Losses for classification."""

import keras
from keras import ops

from kerascnn.arguments import UsageError
from kerascnn.layers import RBFOutput
from kerascnn.losses.labels import are_probabilities, as_ints


@keras.saving.register_keras_serializable(package="kerascnn")
class CrossEntropy(keras.losses.Loss):
    """Cross-entropy of logits, for int labels and for vectors of probabilities alike.

    `-sum over c of p[c] * log(softmax(logits)[c])`, where `p` is the label, one-hot if it is an
    int, with `label_smoothing` of it spread evenly over all `C` classes. An int label outside
    [0, C) has the same effect as in `keras.losses.SparseCategoricalCrossentropy`: with TensorFlow,
    an error on a CPU and NaN on a GPU.

    Args:
        label_smoothing: float in [0, 1).
        class_weights: optional list of `C` floats, by which the losses of examples of each class
            are multiplied; a label of probabilities has the mean of them.
        **kwargs: `name`, `reduction`, `dtype`.

    Call arguments:
        y_true: int tensor `(batch,)` or float tensor `(batch, C)`.
        y_pred: float tensor `(batch, C)`, logits.

    Raises:
        ValueError: if `label_smoothing` or a weight is out of its range.

    Reference:
        label smoothing: [Szegedy et al., 2016](https://arxiv.org/abs/1512.00567), section 7

    Example:
        >>> import keras
        >>> import kerascnn
        >>> loss = kerascnn.losses.CrossEntropy()
        >>> round(float(loss(keras.ops.array([1]), keras.ops.zeros((1, 4)))), 4)  # log(4)
        1.3863
    """

    def __init__(self, label_smoothing=0.0, name="cross_entropy", class_weights=None, **kwargs):
        super().__init__(name=name, **kwargs)
        if not 0 <= label_smoothing < 1:
            raise UsageError(
                f"`label_smoothing` must be in [0, 1); got label_smoothing={label_smoothing}."
            )
        self.label_smoothing = label_smoothing
        self.class_weights = _checked_weights(class_weights)

    def call(self, y_true, y_pred):
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

    def get_config(self):
        return {
            **super().get_config(),
            "label_smoothing": self.label_smoothing,
            "class_weights": self.class_weights,
        }


@keras.saving.register_keras_serializable(package="kerascnn")
class RBFLoss(keras.losses.Loss):
    """The loss of the LeNet of 1998, for logits that are minus the distances to the prototypes.

    With the distance `d[c]` to the prototype of class `c` and the true class `t`,

        d[t] + log(exp(-margin) + sum over c of exp(-d[c]))

    The first term pulls towards the right prototype, the second pushes away from the others, as
    far as `margin`, which stands for all that is no class. Labels are checked as in `CrossEntropy`.

    Args:
        margin: float, at least 0, the paper's `j`.
        class_weights: as in `CrossEntropy`.
        **kwargs: `name`, `reduction`, `dtype`.

    Call arguments:
        y_true: int tensor `(batch,)` or float tensor `(batch, C)` of probabilities.
        y_pred: float tensor `(batch, C)`, minus the distances.

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

    def __init__(self, margin=1.0, name="rbf_loss", class_weights=None, **kwargs):
        super().__init__(name=name, **kwargs)
        if not margin >= 0:
            raise UsageError(f"`margin` must be a number from 0; got margin={margin}.")
        self.margin = margin
        self.class_weights = _checked_weights(class_weights)

    def call(self, y_true, y_pred):
        losses = self._losses(y_true, y_pred)
        return _weighted(losses, y_true, y_pred.shape[-1], self.class_weights)

    def _losses(self, y_true, y_pred):
        others = ops.full_like(y_pred[..., :1], -self.margin)
        pushed = ops.logsumexp(ops.concatenate([others, y_pred], axis=-1), axis=-1)
        if are_probabilities(y_true, y_pred.shape[-1]):
            return pushed - ops.sum(ops.cast(y_true, y_pred.dtype) * y_pred, axis=-1)
        # The distance to the true prototype by way of a loss of Keras's, which checks the labels.
        losses = ops.sparse_categorical_crossentropy(as_ints(y_true), y_pred, from_logits=True)
        return pushed + losses - ops.logsumexp(y_pred, axis=-1)

    def get_config(self):
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
            f"`class_weights` must be finite numbers from 0; got class_weights={weights}."
        )
    return weights


def _weighted(losses, y_true, classes, class_weights):
    """Returns losses `(batch,)`, each times the weight of its class."""
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


def loss_for(model, label_smoothing=0.0, class_weights=None):
    """The loss that a classifier is made for: `RBFLoss` if it ends in `RBFOutput`, which needs it.

    Args:
        model: `keras.Model`.
        label_smoothing: float, for `CrossEntropy`.
        class_weights: optional list of floats, for either.

    Example:
        >>> import kerascnn
        >>> model = kerascnn.models.create_model("lenet5_1998")
        >>> kerascnn.losses.loss_for(model).name
        'rbf_loss'
    """
    if any(isinstance(layer, RBFOutput) for layer in model.layers):
        return RBFLoss(class_weights=class_weights)
    return CrossEntropy(label_smoothing, class_weights=class_weights)
