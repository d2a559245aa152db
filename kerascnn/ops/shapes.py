"""Small questions about shapes and arguments that several ops ask."""

import keras

from kerascnn.arguments import one_of


def image_shape(shape, data_format, name="inputs"):
    """Splits a rank 4 shape into `(batch, height, width, channels)`, whatever the data format."""
    if len(shape) != 4:
        raise ValueError(
            f"`{name}` must have rank 4; got rank {len(shape)} (shape {tuple(shape)})."
        )
    if data_format == "channels_first":
        batch, channels, height, width = shape
    else:
        batch, height, width, channels = shape
    return batch, height, width, channels


def known_channels(shape, data_format):
    """The number of channels of an image, which must be known."""
    channels = image_shape(shape, standardize_data_format(data_format))[3]
    if channels is None:
        raise ValueError(f"The number of input channels must be known; got shape {tuple(shape)}.")
    return channels


def in_format(batch, height, width, channels, data_format):
    """The inverse of `image_shape`."""
    if data_format == "channels_first":
        return batch, channels, height, width
    return batch, height, width, channels


def standardize_data_format(data_format):
    """Resolves `None` to Keras's own setting and refuses what is no data format."""
    if data_format is None:
        return keras.config.image_data_format()
    return one_of(data_format, ("channels_last", "channels_first"), "data_format")


def channel_axis(shape, axis):
    """`axis` counted from the front, and the only place where it is checked."""
    if not -len(shape) <= axis < len(shape):
        raise ValueError(
            f"`axis` must name an axis of the input; got axis={axis} with shape {tuple(shape)}."
        )
    return axis % len(shape)


def channels_of(shape, data_format):
    """Returns `(axis, size)` of the channels, which must be known, at any rank from 2 on."""
    if len(shape) < 2:
        raise ValueError(
            f"`inputs` must have rank 2 at least; got rank {len(shape)} (shape {tuple(shape)})."
        )
    axis = 1 if standardize_data_format(data_format) == "channels_first" else len(shape) - 1
    if shape[axis] is None:
        raise ValueError(f"The number of input channels must be known; got shape {tuple(shape)}.")
    return axis, shape[axis]


def times(size, factor):
    """`size * factor` where the size may be unknown."""
    return None if size is None else size * factor


def divided(size, factor):
    """`size // factor` where the size may be unknown."""
    return None if size is None else size // factor
