"""Maxout: the largest of several linear functions is the activation."""

from keras import ops

from kerascnn.ops.shapes import at_least_one, channel_axis
from kerascnn.ops.symbolic import symbolic


def maxout_shape(shape, units, axis=-1):
    """Output shape of `maxout`, and the only place its arguments are checked."""
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


@symbolic(maxout_shape)
def maxout(x, units, axis=-1):
    """Takes the maximum over groups of consecutive channels; see `kerascnn.layers.Maxout`."""
    maxout_shape(x.shape, units, axis)
    axis = channel_axis(x.shape, axis)
    shape = list(ops.shape(x))
    pieces = [*shape[:axis], units, x.shape[axis] // units, *shape[axis + 1 :]]
    return ops.max(ops.reshape(x, pieces), axis=axis + 1)
