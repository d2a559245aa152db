"""Radial basis functions at the output: the distance to a prototype of every class."""

from keras import ops

from kerascnn.ops.precision import float_dtype, widened
from kerascnn.ops.symbolic import symbolic


def rbf_output_shape(shape, prototypes_shape):
    """Output shape of `rbf_output`, and the only place its input is checked."""
    if not shape or len(prototypes_shape) != 2 or shape[-1] != prototypes_shape[1]:
        raise ValueError(
            "`prototypes` must have the shape (units, features), with the features of the input; "
            f"got shape {tuple(prototypes_shape)} on input shape {tuple(shape)}."
        )
    return (*shape[:-1], prototypes_shape[0])


@symbolic(rbf_output_shape, tensors=2, output_dtype=float_dtype)
def rbf_output(x, prototypes):
    """Squared Euclidean distance of `x` to every prototype; the smaller, the more alike.

    `y[..., i] = sum over j of (x[..., j] - prototypes[i, j])**2`; `-y` serves as logits.

    Args:
        x: float tensor of shape `(..., features)`.
        prototypes: float tensor of shape `(units, features)`.

    Returns:
        float tensor of shape `(..., units)`, in the dtype of `x`; float32 inside if that is
        narrower.

    Raises:
        ValueError: if `prototypes` has not the features of `x`.

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
    # The differences themselves: |x|**2 - 2 * x @ p + |p|**2 would lose the small distances.
    difference = ops.expand_dims(widened(x), -2) - widened(prototypes)
    return ops.cast(ops.sum(ops.square(difference), -1), float_dtype(x.dtype))
