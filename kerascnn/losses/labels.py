"""Image labels, as ints or as probabilities."""

from keras import ops


def are_probabilities(y_true, classes):
    """Returns whether labels are vectors `(batch, classes)` of probabilities instead of ints."""
    return len(y_true.shape) == 2 and y_true.shape[-1] == classes and classes > 1


def as_ints(y_true):
    """Reshapes int labels of shape `(batch,)` or `(batch, 1)` to `(batch,)`."""
    return ops.cast(ops.reshape(y_true, (-1,)), "int32")
