"""Channel shuffle: the groups of a group convolution exchange their channels."""

from typing import Any

from keras import ops

from kerascnn.arguments import at_least_one
from kerascnn.geometry import Window
from kerascnn.ops.shapes import channels_of
from kerascnn.ops.symbolic import symbolic


def channel_shuffle_shape(
    shape: Any, groups: int, data_format: str | None = None
) -> tuple[Any, ...]:
    """Returns the output shape of `channel_shuffle`, and checks its arguments."""
    at_least_one(groups, "groups")
    _, channels = channels_of(shape, data_format)
    if channels % groups:
        raise ValueError(
            "`groups` must divide the number of input channels; "
            f"got groups={groups} with {channels} channels (input shape {tuple(shape)})."
        )
    return tuple(shape)


@symbolic(channel_shuffle_shape, window=Window())
def channel_shuffle(x: Any, groups: int, data_format: str | None = None) -> Any:
    """Distributes the channels of every group over all groups.

    With `C` channels, `y[..., i * groups + g] = x[..., g * (C / groups) + i]`.

    Args:
        x: tensor of rank 2 or higher, channels last or, depending on `data_format`, on axis 1.
        groups: int, a divisor of the channels.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.

    Returns:
        tensor of the shape of `x`.

    Raises:
        ValueError: if `groups` does not divide the channels.

    Reference:
        [Zhang et al., 2018](https://arxiv.org/abs/1707.01083)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> y = kerascnn.ops.channel_shuffle(keras.ops.array([[0, 1, 2, 3, 4, 5]]), groups=2)
        >>> keras.ops.convert_to_numpy(y)[0].tolist()
        [0, 3, 1, 4, 2, 5]
    """
    channel_shuffle_shape(x.shape, groups, data_format)
    axis, channels = channels_of(x.shape, data_format)
    sizes: Any = ops.shape(x)
    shape = list(sizes)
    split = ops.reshape(x, [*shape[:axis], groups, channels // groups, *shape[axis + 1 :]])
    return ops.reshape(ops.swapaxes(split, axis, axis + 1), shape)
