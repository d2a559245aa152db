"""Maxout: the maximum of several linear functions as activation."""

from typing import Any

from keras import ops

from kerascnn.arguments import at_least_one
from kerascnn.geometry import Window
from kerascnn.ops.empty_batch import takes_empty_batches
from kerascnn.ops.shapes import channel_axis
from kerascnn.ops.symbolic import symbolic


def maxout_shape(shape: Any, units: int, axis: int = -1) -> tuple[Any, ...]:
    """Returns the output shape of `maxout`, and checks its arguments."""
    at_least_one(units, "units")
    axis = channel_axis(shape, axis)
    channels = shape[axis]
    if channels is None or channels % units:
        raise ValueError(
            "`units` must divide the number of input channels; "
            f"got units={units} with {channels} channels on axis {axis} "
            f"(input shape {tuple(shape)})."
        )
    return (*shape[:axis], units, *shape[axis + 1 :])


@symbolic(maxout_shape, window=Window())
@takes_empty_batches
def maxout(x: Any, units: int, axis: int = -1) -> Any:
    """Takes the maximum over groups of consecutive channels.

    With `p = channels / units` pieces, `y[..., u] = max over j of x[..., u * p + j]`.

    Args:
        x: tensor of any rank.
        units: int, the number of maxima, a divisor of the channels.
        axis: int, the channel axis.

    Returns:
        tensor of the shape of `x` with `units` channels.

    Raises:
        ValueError: if `units` does not divide the channels.

    Reference:
        [Goodfellow et al., 2013](https://arxiv.org/abs/1302.4389)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> y = kerascnn.ops.maxout(keras.ops.array([[1.0, 5.0, 4.0, 2.0]]), units=2)
        >>> keras.ops.convert_to_numpy(y)[0].tolist()
        [5.0, 4.0]
    """
    maxout_shape(x.shape, units, axis)
    axis = channel_axis(x.shape, axis)
    sizes: Any = ops.shape(x)
    shape = list(sizes)
    pieces = [*shape[:axis], units, x.shape[axis] // units, *shape[axis + 1 :]]
    return ops.max(ops.reshape(x, pieces), axis=axis + 1)
