"""Flattens pixels for losses and metrics, and masks ignored pixels."""

import keras
from keras import ops

from kerascnn.arguments import UsageError
from kerascnn.ops.ignored import IGNORED


def flat_pixels(y_true, y_pred):
    """Returns flat labels of all pixels, 1.0 for pixels that are not ignored, and flat logits.

    Pixels labeled `IGNORED` have the label 0 and the value 0.0. Other labels outside [0, C) are an
    error if the backend checks indices, as TensorFlow does on a CPU, and otherwise have the value
    NaN.
    """
    image, pixels = tuple(y_true.shape), tuple(y_pred.shape)[:-1]
    if len(image) == len(pixels) + 1 and image[-1] == 1:
        image = image[:-1]
    if len(image) != len(pixels) or any(
        None not in sides and sides[0] != sides[1] for sides in zip(image, pixels, strict=True)
    ):
        raise UsageError(
            "`y_true` must be a class index for each pixel of the logits `y_pred`; "
            f"got shapes {tuple(y_true.shape)} and {tuple(y_pred.shape)}."
        )
    classes = y_pred.shape[-1]
    if classes > IGNORED:
        raise UsageError(
            f"`y_pred` must be logits of at most {IGNORED} classes, because the label {IGNORED} "
            f"is ignored; got shape {tuple(y_pred.shape)}."
        )
    truth = ops.cast(ops.reshape(y_true, (-1,)), "int32")
    dtype = keras.backend.result_type(y_pred.dtype, "float32")
    logits = ops.cast(ops.reshape(y_pred, (-1, classes)), dtype)
    known = truth != IGNORED
    truth = ops.where(known, truth, 0)
    is_class = ops.logical_and(truth >= 0, truth < classes)
    # Negative indices would count from the end.
    checked = ops.take(ops.ones((classes,), dtype), ops.where(truth < 0, classes, truth))
    counted = ops.where(is_class, ops.cast(known, dtype) * checked, float("nan"))
    return truth, counted, logits


def share(part, whole):
    """Returns `part / whole`, and 0 where both are 0."""
    return part / ops.where(whole > 0, whole, 1)


def mean_over(values, chosen):
    """Returns the mean of the chosen values, or 0 without any."""
    chosen = ops.cast(chosen, values.dtype)
    return share(ops.sum(values * chosen), ops.sum(chosen))


def nan_if_wrong(loss, counted):
    """Returns `loss`, or NaN if a pixel of `flat_pixels` has a wrong label."""
    # Explicit, because XLA drops a NaN that is multiplied by a bool.
    return ops.where(ops.any(ops.isnan(counted)), float("nan"), loss)
