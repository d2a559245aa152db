"""Classification accuracy, for training."""

from typing import Any

import keras
from keras import ops

from kerascnn.losses.labels import are_probabilities, as_ints


@keras.saving.register_keras_serializable(package="kerascnn")
def accuracy(y_true: Any, y_pred: Any) -> Any:
    """Returns 1 where the most probable class is the label, otherwise 0.

    If labels are vectors of probabilities, the class with the largest probability is the label. A
    label outside [0, C) never matches.

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
