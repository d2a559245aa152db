"""The accuracy of a classifier, in training."""

from typing import Any

import keras
from keras import ops

from kerascnn.losses.labels import are_probabilities, as_ints


@keras.saving.register_keras_serializable(package="kerascnn")
def accuracy(y_true: Any, y_pred: Any) -> Any:
    """Whether the likeliest class is the label, or of a vector of probabilities the largest.

    A label outside [0, C) is never the likeliest class.

    Example:
        >>> import numpy as np
        >>> import kerascnn
        >>> logits = np.array([[2.0, 1.0], [2.0, 1.0]])
        >>> [float(right) for right in kerascnn.metrics.accuracy(np.array([0, 1]), logits)]
        [1.0, 0.0]
    """
    if are_probabilities(y_true, y_pred.shape[-1]):
        truth = ops.argmax(y_true, axis=-1)
    else:
        truth = as_ints(y_true)
    predicted = ops.argmax(y_pred, axis=-1)
    return ops.cast(ops.equal(ops.cast(truth, "int32"), ops.cast(predicted, "int32")), "float32")
