"""Labels of images as probabilities."""

from keras import ops


def as_probabilities(y_true, classes):
    """Labels as vectors: ints, of shape `(batch,)` or `(batch, 1)`, become one-hot."""
    if len(y_true.shape) == 2 and y_true.shape[-1] == classes and classes > 1:
        return y_true
    return ops.one_hot(ops.cast(ops.reshape(y_true, (-1,)), "int32"), classes)
