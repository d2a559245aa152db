"""Mean IoU of segmentation models, for training."""

from typing import Any

import keras
from keras import ops

from kerascnn.arguments import UsageError
from kerascnn.losses.flat_pixels import flat_pixels, mean_over, share

# The low counters carry over to the high ones at this number, before int32 overflows.
_CARRY = 2**30


@keras.saving.register_keras_serializable(package="kerascnn")
class MeanIoU(keras.metrics.Metric):
    """Computes the mean IoU from logits, over all pixels since the last reset.

    This is `true positives / (true positives + false positives + false negatives)` of each class,
    averaged over the classes that occur in the labels or the predictions; 0 before the first
    update. Pixels labeled `IGNORED` are ignored; other labels outside [0, num_classes) are an error
    if the backend checks indices, as TensorFlow does on a CPU, and otherwise ignored. Keras's
    `MeanIoU` with `ignore_class` returns the same, but overflows after `2**31` pixels of a class,
    which is an epoch of a large dataset; this metric does not.

    Args:
        num_classes: int.
        name: str.
        **kwargs: `dtype`, the dtype of the result.

    Call arguments:
        y_true: tensor `(batch, height, width)` or `(batch, height, width, 1)`, class indices.
        y_pred: float tensor `(batch, height, width, num_classes)`, logits.

    Raises:
        ValueError: if the shapes do not match, or if there are sample weights.

    Example:
        >>> import keras
        >>> import kerascnn
        >>> metric = kerascnn.metrics.MeanIoU(num_classes=2)
        >>> mask = keras.ops.array([[[0, 0, 1, 255]]])
        >>> metric.update_state(mask, keras.ops.one_hot(keras.ops.array([[[0, 1, 1, 0]]]), 2))
        >>> float(metric.result())
        0.5
    """

    def __init__(self, num_classes: int, name: str = "mean_iou", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.num_classes = num_classes
        shape = (num_classes, num_classes)
        # Two int32 for each count, because JAX has no int64 by default.
        self.low = self.add_variable(shape, "zeros", dtype="int32", name="low")
        self.high = self.add_variable(shape, "zeros", dtype="int32", name="high")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        if sample_weight is not None:
            raise UsageError("`sample_weight` must be None: `MeanIoU` does not weight pixels.")
        if y_pred.shape[-1] != self.num_classes:
            raise UsageError(
                f"`y_pred` must be the logits of {self.num_classes} classes; "
                f"got shape {tuple(y_pred.shape)}."
            )
        truth, counted, logits = flat_pixels(y_true, y_pred)
        pairs = truth * self.num_classes + ops.cast(ops.argmax(logits, axis=-1), "int32")
        pairs = ops.where(counted > 0, pairs, self.num_classes**2)
        counts = ops.segment_sum(ops.ones_like(pairs), pairs, self.num_classes**2 + 1)[:-1]
        low = self.low + ops.reshape(counts, self.low.shape)
        self.high.assign(self.high + low // _CARRY)
        self.low.assign(low % _CARRY)

    def result(self) -> Any:
        matrix = ops.cast(self.high, self.dtype) * _CARRY + ops.cast(self.low, self.dtype)
        union = ops.sum(matrix, axis=0) + ops.sum(matrix, axis=1) - ops.diagonal(matrix)
        return mean_over(share(ops.diagonal(matrix), union), union > 0)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_classes": self.num_classes}
