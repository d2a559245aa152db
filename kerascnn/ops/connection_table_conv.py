"""Convolution with a connection table, which lists the input channels of each output channel."""

import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from kerascnn.geometry import Sizes
from kerascnn.ops.add_bias import add_bias
from kerascnn.ops.group_conv import group_conv2d, group_conv2d_shape
from kerascnn.ops.padding import Padding
from kerascnn.ops.shapes import known_channels
from kerascnn.ops.symbolic import symbolic


def standardize_table(table):
    """Returns `table` as a tuple of tuples of ints; raises an error if it is invalid."""
    rows = _list(table)
    if not rows or not all(_list(row) and all(map(_is_channel, row)) for row in rows):
        raise ValueError(
            "`table` must list the input channels that each filter sees, ints of at least 0; "
            f"got table={table!r}."
        )
    for row in rows:
        if len(set(row)) < len(row):
            raise ValueError(
                "Each row of `table` must list a channel only once; "
                f"got the row {tuple(row)} in table={table!r}."
            )
    return tuple(tuple(map(int, row)) for row in rows)


def _list(value):
    return value if isinstance(value, (tuple, list)) else ()


def _is_channel(value):
    return isinstance(value, numbers.Integral) and not isinstance(value, bool) and value >= 0


def connections_of(table):
    """Returns the number of connections: one for each channel that a filter sees."""
    return sum(map(len, table))


def connection_table_conv2d_shape(
    shape: Any,
    kernel_shape: Any,
    bias_shape: Any,
    table: Sequence[Sequence[int]],
    strides: Sizes = 1,
    padding: Padding = "valid",
    data_format: str | None = None,
) -> tuple[Any, ...]:
    """Returns the output shape of `connection_table_conv2d`, and checks its arguments."""
    table = standardize_table(table)
    channels = known_channels(shape, data_format)
    last = max(map(max, table))
    if last >= channels:
        raise ValueError(
            "`table` must have indices of input channels; "
            f"got channel {last} with {channels} channels (input shape {tuple(shape)})."
        )
    connections = connections_of(table)
    if len(kernel_shape) != 3 or kernel_shape[2] != connections:
        raise ValueError(
            "`kernel` must have the shape (height, width, connections), as in `table`; "
            f"got kernel shape {tuple(kernel_shape)} with {connections} connections."
        )
    if bias_shape is not None and tuple(bias_shape) != (len(table),):
        raise ValueError(
            "`bias` must have one value for each row of `table`; "
            f"got bias shape {tuple(bias_shape)} with {len(table)} rows."
        )
    dense = (*kernel_shape[:2], channels, len(table))
    return group_conv2d_shape(shape, dense, strides, padding, data_format)


@symbolic(connection_table_conv2d_shape, tensors=3)
def connection_table_conv2d(
    x: Any,
    kernel: Any,
    bias: Any,
    table: Sequence[Sequence[int]],
    strides: Sizes = 1,
    padding: Padding = "valid",
    data_format: str | None = None,
) -> Any:
    """Convolves the input channels that the table lists for each output channel.

    With `n(o, k)` the index of the connection of output `o` to `table[o][k]`, counted through all
    rows of the table, and strides `s`, on the padded `x`,

        y[h, w, o] = bias[o] + sum over i, j, k of
            x[h * s + i, w * s + j, table[o][k]] * kernel[i, j, n(o, k)]

    Args:
        x: float tensor of shape `(batch, height, width, channels)`, or channels first.
        kernel: float tensor of shape `(kernel_height, kernel_width, connections)`, with the
            connections of the first row of the table first, then the second row, and so on.
        bias: float tensor of shape `(filters,)`, or `None`.
        table: for each filter, the indices of the input channels that it sees.
        strides: int or pair of ints.
        padding: `"valid"`, `"same"` or zeros around the image, as in `group_conv2d`.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.

    Returns:
        float tensor of shape `(batch, new_height, new_width, filters)`, or channels first.

    Raises:
        ValueError: if the table is invalid, names channels that the input lacks, or does not match
            `kernel` and `bias`, or if the kernel does not fit into the input.

    Reference:
        [LeCun et al., 1998](http://yann.lecun.com/exdb/publis/pdf/lecun-01a.pdf), table I

    Example:
        >>> import keras
        >>> import kerascnn
        >>> x, kernel = keras.ops.ones((1, 5, 5, 2)), keras.ops.ones((3, 3, 3))
        >>> y = kerascnn.ops.connection_table_conv2d(x, kernel, None, table=[[1], [0, 1]])
        >>> keras.ops.convert_to_numpy(y)[0, 0, 0].tolist()
        [9.0, 18.0]
    """
    bias_shape = None if bias is None else bias.shape
    connection_table_conv2d_shape(
        x.shape, kernel.shape, bias_shape, table, strides, padding, data_format
    )
    place = _places(table, known_channels(x.shape, data_format))
    # A gather copies weights; a product with a 0-1 matrix would need a matrix of connections *
    # channels * filters values.
    dense = ops.take(ops.pad(kernel, ((0, 0), (0, 0), (0, 1))), place, axis=2)
    y = group_conv2d(x, dense, strides, padding, data_format)
    return add_bias(y, bias, data_format)


def _places(table, channels):
    """Returns the index of each `(channel, filter)`; all unconnected pairs share the last one."""
    places = np.full((channels, len(table)), connections_of(table), "int32")
    pairs = [(channel, o) for o, row in enumerate(table) for channel in row]
    places[tuple(zip(*pairs, strict=True))] = range(len(pairs))
    return places
