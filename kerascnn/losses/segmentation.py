"""Losses for segmentation."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import keras
from keras import ops

from kerascnn.arguments import UsageError
from kerascnn.losses.flat_pixels import flat_pixels, mean_over, nan_if_wrong, share


@keras.saving.register_keras_serializable(package="kerascnn")
class PixelCrossEntropy(keras.losses.Loss):
    """Cross-entropy of all pixels that are not ignored.

    With the true class `t` of a pixel, `log_p = log_softmax(logits)`, the class weights `w`, and
    `s = label_smoothing`, over all pixels of the batch that are not ignored,

        sum of ((1 - s) * -w[t] * log_p[t] + s / C * sum over c of -w[c] * log_p[c]) / sum of w[t]

    as in PyTorch's `cross_entropy`. Labels that are `IGNORED` are ignored; other labels outside [0,
    C) are an error on TensorFlow's CPU, and elsewhere make the loss NaN or an error. If all pixels
    of a batch are ignored, loss and gradients are 0. The loss is computed in at least float32. The
    mean is taken over the whole batch at once, so a `sample_weight` of `model.fit` would only scale
    it.

    Args:
        class_weights: optional list with a float of at least 0 for each class.
        label_smoothing: float in [0, 1).
        **kwargs: `name`, `reduction`, `dtype`.

    Call arguments:
        y_true: tensor `(batch, height, width)` or `(batch, height, width, 1)`, class indices.
        y_pred: float tensor `(batch, height, width, C)`, logits.

    Raises:
        ValueError: if an argument is out of range, or if the shapes do not match.

    Reference:
        label smoothing: [Szegedy et al., 2016](https://arxiv.org/abs/1512.00567), section 7

    Example:
        >>> import keras
        >>> import kerascnn
        >>> loss = kerascnn.losses.PixelCrossEntropy()
        >>> mask = keras.ops.array([[[0, 3], [255, 255]]])  # half of it counts
        >>> round(float(loss(mask, keras.ops.zeros((1, 2, 2, 4)))), 4)  # log(4)
        1.3863
    """

    def __init__(
        self,
        class_weights: Sequence[float] | None = None,
        label_smoothing: float = 0.0,
        name: str = "pixel_cross_entropy",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        if not 0 <= label_smoothing < 1:
            raise UsageError(
                f"`label_smoothing` must be in [0, 1); got label_smoothing={label_smoothing}."
            )
        self.class_weights = _checked_weights(class_weights)
        self.label_smoothing = label_smoothing

    def call(self, y_true: Any, y_pred: Any) -> Any:
        truth, counted, logits = flat_pixels(y_true, y_pred)
        weights = _weights_of_classes(self.class_weights, logits)
        weight = ops.take(weights, truth) * counted
        losses = weight * ops.sparse_categorical_crossentropy(truth, logits, from_logits=True)
        if self.label_smoothing:
            spread = -ops.matmul(ops.log_softmax(logits), weights[:, None])[:, 0]
            spread = spread * counted / logits.shape[-1]
            losses = (1 - self.label_smoothing) * losses + self.label_smoothing * spread
        return share(ops.sum(losses), ops.sum(weight))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "class_weights": self.class_weights,
            "label_smoothing": self.label_smoothing,
        }


@keras.saving.register_keras_serializable(package="kerascnn")
class FocalLoss(keras.losses.Loss):
    """Cross-entropy that gives confident correct pixels less weight.

    With the true class `t` of a pixel, its probability `p[t]`, and the class weights `w`, over all
    pixels of the batch that are not ignored,

        sum of (-w[t] * (1 - p[t])**gamma * log(p[t])) / sum of w[t]

    With `gamma=0`, it is `PixelCrossEntropy`. The class weights are the paper's `alpha`. Labels are
    ignored or checked as in `PixelCrossEntropy`. The loss is computed in at least float32.

    Args:
        gamma: float, at least 0.
        class_weights: optional list with a float of at least 0 for each class.
        **kwargs: `name`, `reduction`, `dtype`.

    Call arguments:
        y_true: tensor `(batch, height, width)` or `(batch, height, width, 1)`, class indices.
        y_pred: float tensor `(batch, height, width, C)`, logits.

    Raises:
        ValueError: if an argument is out of range, or if the shapes do not match.

    Reference:
        [Lin et al., 2017](https://arxiv.org/abs/1708.02002), equations 4 and 5

    Example:
        >>> import keras
        >>> import kerascnn
        >>> loss = kerascnn.losses.FocalLoss(gamma=2.0)
        >>> mask = keras.ops.array([[[0, 3], [255, 255]]])
        >>> round(float(loss(mask, keras.ops.zeros((1, 2, 2, 4)))), 4)  # 0.75**2 * log(4)
        0.7798
    """

    def __init__(
        self,
        gamma: float = 2.0,
        class_weights: Sequence[float] | None = None,
        name: str = "focal_loss",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        if not gamma >= 0:
            raise UsageError(f"`gamma` must be at least 0; got gamma={gamma}.")
        self.gamma = gamma
        self.class_weights = _checked_weights(class_weights)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        truth, counted, logits = flat_pixels(y_true, y_pred)
        weights = _weights_of_classes(self.class_weights, logits)
        weight = ops.take(weights, truth) * counted
        cross_entropy = ops.sparse_categorical_crossentropy(truth, logits, from_logits=True)
        # With a gamma below 1, the power of 0 would have no finite gradient.
        missing = ops.maximum(-ops.expm1(-cross_entropy), 1e-7)
        losses = weight * missing**self.gamma * cross_entropy
        return share(ops.sum(losses), ops.sum(weight))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "gamma": self.gamma,
            "class_weights": self.class_weights,
        }


@keras.saving.register_keras_serializable(package="kerascnn")
class DiceLoss(keras.losses.Loss):
    """One minus the soft Dice coefficient, averaged over the classes in the batch.

    This is the paper's form, with squares. With the probabilities `p` and the one-hot truth `g`,
    the loss of a class is, over all pixels of the batch that are not ignored,

        1 - (2 * sum of (p * g) + smooth) / (sum of p**2 + sum of g + smooth)

    A class is included if one of these pixels belongs to it. Labels are ignored or checked as in
    `PixelCrossEntropy`. If all pixels of a batch are ignored, loss and gradients are 0. The loss is
    computed in at least float32.

    Args:
        smooth: float, at least 0, the number of pixels added to both sums, so that a class with few
            pixels does not dominate the mean.
        **kwargs: `name`, `reduction`, `dtype`.

    Call arguments:
        y_true: tensor `(batch, height, width)` or `(batch, height, width, 1)`, class indices.
        y_pred: float tensor `(batch, height, width, C)`, logits.

    Raises:
        ValueError: if `smooth` is negative, or if the shapes do not match.

    Reference:
        [Milletari et al., 2016](https://arxiv.org/abs/1606.04797), section 3

    Example:
        >>> import keras
        >>> import kerascnn
        >>> loss = kerascnn.losses.DiceLoss(smooth=0.0)
        >>> mask = keras.ops.array([[[0, 0], [255, 255]]])
        >>> round(float(loss(mask, keras.ops.zeros((1, 2, 2, 2)))), 4)  # 1 - 2 * 1 / (0.5 + 2)
        0.2
    """

    def __init__(self, smooth: float = 1.0, name: str = "dice_loss", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        if not smooth >= 0:
            raise UsageError(f"`smooth` must be at least 0; got smooth={smooth}.")
        self.smooth = smooth

    def call(self, y_true: Any, y_pred: Any) -> Any:
        truth, counted, logits = flat_pixels(y_true, y_pred)
        column = counted[:, None]
        target = ops.one_hot(truth, logits.shape[-1], dtype=logits.dtype) * column
        probabilities = ops.softmax(logits) * column
        common = 2 * ops.sum(probabilities * target, axis=0)
        pixels = ops.sum(target, axis=0)
        both = ops.sum(probabilities**2, axis=0) + pixels
        losses = 1 - share(common + self.smooth, both + self.smooth)
        return nan_if_wrong(mean_over(losses, pixels > 0), counted)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "smooth": self.smooth}


@keras.saving.register_keras_serializable(package="kerascnn")
class LovaszSoftmax(keras.losses.Loss):
    """A convex surrogate for one minus the IoU, averaged over the classes in the batch.

    A pixel's error in class `c` is `1 - p[c]` if it belongs to `c`, and `p[c]` otherwise. For each
    class, the pixels of the batch are sorted by error, largest first. The loss is the sum of the
    errors, each multiplied by the increase of `1 - IoU` when this pixel also becomes wrong. If all
    errors are 0 or 1, the loss is `1 - IoU`.

    A class is included if a pixel of the batch belongs to it. Labels are ignored or checked as in
    `PixelCrossEntropy`. If all pixels of a batch are ignored, loss and gradients are 0. The loss is
    computed in at least float32. Sorting all pixels for each class takes time.

    Args:
        **kwargs: `name`, `reduction`, `dtype`.

    Call arguments:
        y_true: tensor `(batch, height, width)` or `(batch, height, width, 1)`, class indices.
        y_pred: float tensor `(batch, height, width, C)`, logits.

    Raises:
        ValueError: if the shapes do not match.

    Reference:
        [Berman et al., 2018](https://arxiv.org/abs/1705.08790)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> loss = kerascnn.losses.LovaszSoftmax()
        >>> logits = 100 * keras.ops.one_hot(keras.ops.array([[[0, 0], [0, 1]]]), 2)
        >>> mask = keras.ops.array([[[0, 0], [1, 1]]])  # IoU: 2/3 and 1/2
        >>> round(float(loss(mask, logits)), 4)
        0.4167
    """

    def __init__(self, name: str = "lovasz_softmax", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        truth, counted, logits = flat_pixels(y_true, y_pred)
        member = ops.transpose(ops.one_hot(truth, logits.shape[-1], dtype="int32"))
        known = counted > 0
        member = member * ops.cast(known, "int32")
        errors = ops.abs(ops.cast(member, logits.dtype) - ops.transpose(ops.softmax(logits)))
        # Ignored pixels are sorted to the end, where they do not affect the others.
        order = ops.argsort(ops.stop_gradient(ops.where(known, -errors, 1)), axis=-1)
        errors = ops.where(known, errors, 0)
        growth = _jaccard_growth(ops.take_along_axis(member, order, axis=-1), logits.dtype)
        losses = ops.sum(ops.take_along_axis(errors, order, axis=-1) * growth, axis=-1)
        return nan_if_wrong(mean_over(losses, ops.any(member > 0, axis=-1)), counted)


@keras.saving.register_keras_serializable(package="kerascnn")
class LossSum(keras.losses.Loss):
    """The sum of other losses.

    Args:
        losses: list of `keras.losses.Loss`.
        **kwargs: `name`, `reduction`, `dtype`.

    Example:
        >>> import keras
        >>> from kerascnn.losses import DiceLoss, LossSum, PixelCrossEntropy
        >>> loss = LossSum([PixelCrossEntropy(), DiceLoss(smooth=0.0)])
        >>> mask = keras.ops.zeros((1, 2, 2))
        >>> round(float(loss(mask, keras.ops.zeros((1, 2, 2, 2)))), 4)  # log(2) + 0.2
        0.8931
    """

    def __init__(
        self, losses: Sequence[keras.losses.Loss], name: str = "loss_sum", **kwargs: Any
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.losses = list(losses)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        values: list[Any] = [loss(y_true, y_pred) for loss in self.losses]
        return sum(values)

    def get_config(self) -> dict[str, Any]:
        losses = [keras.losses.serialize(loss) for loss in self.losses]
        return {**super().get_config(), "losses": losses}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "LossSum":
        losses = [keras.losses.deserialize(loss) for loss in config["losses"]]
        return cls(**{**config, "losses": losses})


def dense_loss(
    name: str, class_weights: Sequence[float] | None = None, label_smoothing: float = 0.0
) -> keras.losses.Loss:
    """Returns a loss for segmentation by name.

    Args:
        name: `"cross_entropy"`, `"dice"`, `"focal"`, `"lovasz"`, or a sum of them, such as
            `"cross_entropy+lovasz"`.
        class_weights: optional list with a float for each class, for `"cross_entropy"` and
            `"focal"`; the other losses always weight classes equally.
        label_smoothing: float, for `"cross_entropy"`.

    Returns:
        `keras.losses.Loss` of int masks `(batch, height, width)` and logits.

    Raises:
        ValueError: if a name is unknown.

    Example:
        >>> import kerascnn
        >>> [loss.name for loss in kerascnn.losses.dense_loss("cross_entropy+dice").losses]
        ['pixel_cross_entropy', 'dice_loss']
    """
    known = {
        "cross_entropy": partial(PixelCrossEntropy, class_weights, label_smoothing),
        "dice": DiceLoss,
        "focal": partial(FocalLoss, class_weights=class_weights),
        "lovasz": LovaszSoftmax,
    }
    parts = name.split("+")
    if not known.keys() >= set(parts):
        raise UsageError(
            f"`loss` must be one of {', '.join(map(repr, known))}, or several of them joined by "
            f"'+'; got {name!r}."
        )
    losses = [known[part]() for part in parts]
    return losses[0] if len(losses) == 1 else LossSum(losses)


def _checked_weights(class_weights):
    if class_weights is None:
        return None
    weights = [float(weight) for weight in class_weights]
    if not all(0 <= weight < float("inf") for weight in weights):
        raise UsageError(f"`class_weights` must be at least 0; got class_weights={weights}.")
    return weights


def _weights_of_classes(class_weights, logits):
    if class_weights is None:
        return ops.ones((logits.shape[-1],), logits.dtype)
    if len(class_weights) != logits.shape[-1]:
        raise UsageError(
            "`class_weights` must be a number for each class; "
            f"got {len(class_weights)} for the logits of {logits.shape[-1]} classes."
        )
    return ops.convert_to_tensor(class_weights, logits.dtype)


def _jaccard_growth(member, dtype):
    """Returns the increase of `1 - IoU` at each pixel, if all pixels before it are wrong.

    Args:
        member: int tensor `(classes, pixels)`, 1 where the pixel belongs to the class.
        dtype: the dtype of the result.
    """
    # Written out, because a difference of numbers near 1 would be lost in rounding: a pixel of the
    # class leaves the intersection, any other pixel joins the union.
    found = ops.cumsum(member, axis=-1)
    intersection = found[:, -1:] - found
    union = found[:, -1:] + ops.cumsum(1 - member, axis=-1)
    intersection, union = ops.cast(intersection, dtype), ops.cast(union, dtype)
    joins = intersection / (union * ops.maximum(union - 1, 1))
    return ops.where(member > 0, 1 / union, joins)
