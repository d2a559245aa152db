"""Radial basis functions: distances to a prototype of every class."""

from typing import Any

from keras import ops

from kerascnn.ops.precision import float_dtype, widened
from kerascnn.ops.symbolic import symbolic


def rbf_output_shape(shape: Any, prototypes_shape: Any) -> tuple[Any, ...]:
    """Returns the output shape of `rbf_output`, and checks its input."""
    if not shape or len(prototypes_shape) != 2 or shape[-1] != prototypes_shape[1]:
        raise ValueError(
            "`prototypes` must have the shape (units, features), with the features of the input; "
            f"got shape {tuple(prototypes_shape)} on input shape {tuple(shape)}."
        )
    return (*shape[:-1], prototypes_shape[0])


@symbolic(rbf_output_shape, tensors=2, output_dtype=float_dtype)
def rbf_output(x: Any, prototypes: Any) -> Any:
    """Computes the squared Euclidean distances of `x` to all prototypes.

    `y[..., i] = sum over j of (x[..., j] - prototypes[i, j])**2`; `-y` serves as logits.

    Args:
        x: float tensor of shape `(..., features)`.
        prototypes: float tensor of shape `(units, features)`.

    Returns:
        float tensor of shape `(..., units)`, in the dtype of `x`; computed in at least float32.

    Raises:
        ValueError: if `prototypes` and `x` have different numbers of features.

    Reference:
        [LeCun et al., 1998](http://yann.lecun.com/exdb/publis/pdf/lecun-01a.pdf), section II.B

    Example:
        >>> import keras
        >>> import kerascnn
        >>> prototypes = keras.ops.array([[1.0, 1.0], [-1.0, 1.0]])
        >>> y = kerascnn.ops.rbf_output(keras.ops.array([[1.0, 0.0]]), prototypes)
        >>> keras.ops.convert_to_numpy(y).tolist()
        [[1.0, 5.0]]
    """
    rbf_output_shape(x.shape, prototypes.shape)
    # Sums squared differences, because |x|**2 - 2 * x @ p + |p|**2 rounds small distances.
    difference = ops.expand_dims(widened(x), -2) - widened(prototypes)
    return ops.cast(ops.sum(ops.square(difference), -1), float_dtype(x.dtype))
