"""Helpers for shapes and arguments of ops."""

from typing import Any

import keras

from kerascnn.arguments import one_of


def image_shape(
    shape: Any, data_format: str | None, name: str = "inputs"
) -> tuple[Any, Any, Any, Any]:
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
    """Returns the number of channels of an image, which must be known."""
    channels = image_shape(shape, standardize_data_format(data_format))[3]
    if channels is None:
        raise ValueError(f"The number of input channels must be known; got shape {tuple(shape)}.")
    return channels


def in_format(batch, height, width, channels, data_format):
    """Builds a shape in a data format: the inverse of `image_shape`."""
    if data_format == "channels_first":
        return batch, channels, height, width
    return batch, height, width, channels


def standardize_data_format(data_format: str | None) -> str:
    """Resolves `None` to Keras's own setting, and checks the data format."""
    if data_format is None:
        return keras.config.image_data_format()
    return one_of(data_format, ("channels_last", "channels_first"), "data_format")


def channel_axis(shape, axis):
    """Checks `axis`, and returns it as a non-negative int."""
    if not -len(shape) <= axis < len(shape):
        raise ValueError(
            f"`axis` must name an axis of the input; got axis={axis} with shape {tuple(shape)}."
        )
    return axis % len(shape)


def channels_of(shape, data_format):
    """Returns `(axis, size)` of the channels, which must be known, for a rank of 2 or higher."""
    if len(shape) < 2:
        raise ValueError(
            f"`inputs` must have at least rank 2; got rank {len(shape)} (shape {tuple(shape)})."
        )
    axis = 1 if standardize_data_format(data_format) == "channels_first" else len(shape) - 1
    if shape[axis] is None:
        raise ValueError(f"The number of input channels must be known; got shape {tuple(shape)}.")
    return axis, shape[axis]


def times(size, factor):
    """Returns `size * factor`, or `None` for an unknown size."""
    return None if size is None else size * factor


def divided(size, factor):
    """Returns `size // factor`, or `None` for an unknown size."""
    return None if size is None else size // factor
