"""Convolution by a table of connections: each output channel sees the input channels it lists."""

import numbers

import numpy as np
from keras import ops

from kerascnn.ops.add_bias import add_bias
from kerascnn.ops.group_conv import group_conv2d, group_conv2d_shape
from kerascnn.ops.shapes import known_channels
from kerascnn.ops.symbolic import symbolic


def standardize_table(table):
    """Returns `table` as a tuple of tuples of ints, and refuses what is no table."""
    rows = _list(table)
    if not rows or not all(_list(row) and all(map(_is_channel, row)) for row in rows):
        raise ValueError(
            "`table` must list the input channels that each filter sees, ints of at least 0; "
            f"got table={table!r}."
        )
    for row in rows:
        if len(set(row)) < len(row):
            raise ValueError(
                "Each row of `table` must list a channel once only; "
                f"got the row {tuple(row)} in table={table!r}."
            )
    return tuple(tuple(map(int, row)) for row in rows)


def _list(value):
    return value if isinstance(value, (tuple, list)) else ()


def _is_channel(value):
    return isinstance(value, numbers.Integral) and not isinstance(value, bool) and value >= 0


def connections_of(table):
    """How many kernels a table has: one for each channel that a filter sees."""
    return sum(map(len, table))


def connection_table_conv2d_shape(
    shape, kernel_shape, bias_shape, table, strides=1, padding="valid", data_format=None
):
    """Output shape of `connection_table_conv2d`, and the only place its arguments are checked."""
    table = standardize_table(table)
    channels = known_channels(shape, data_format)
    last = max(map(max, table))
    if last >= channels:
        raise ValueError(
            "`table` must name channels of the input, counted from 0; "
            f"got channel {last} with {channels} channels (input shape {tuple(shape)})."
        )
    connections = connections_of(table)
    if len(kernel_shape) != 3 or kernel_shape[2] != connections:
        raise ValueError(
            "`kernel` must have the shape (height, width, connections), as many as `table` lists; "
            f"got kernel shape {tuple(kernel_shape)} with {connections} connections."
        )
    if bias_shape is not None and tuple(bias_shape) != (len(table),):
        raise ValueError(
            "`bias` must have one number for each row of `table`; "
            f"got bias shape {tuple(bias_shape)} with {len(table)} rows."
        )
    dense = (*kernel_shape[:2], channels, len(table))
    return group_conv2d_shape(shape, dense, strides, padding, data_format)


@symbolic(connection_table_conv2d_shape, tensors=3)
def connection_table_conv2d(x, kernel, bias, table, strides=1, padding="valid", data_format=None):
    """Convolves the input channels that the table lists for each output channel.

    With `n(o, k)` the number of the connection of output `o` to `table[o][k]`, counted through all
    rows of the table, and strides `s`, on the padded `x`,

        y[h, w, o] = bias[o] + sum over i, j, k of
            x[h * s + i, w * s + j, table[o][k]] * kernel[i, j, n(o, k)]

    Args:
        x: float tensor of shape `(batch, height, width, channels)`, or channels first.
        kernel: float tensor of shape `(kernel_height, kernel_width, connections)`: those of the
            first row of the table, then those of the second, and so on.
        bias: float tensor of shape `(filters,)`, or `None`.
        table: for each filter, the input channels that it sees, counted from 0.
        strides: int or pair of ints.
        padding: `"valid"`, `"same"` or zeros around the image, as in `group_conv2d`.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.

    Returns:
        float tensor of shape `(batch, new_height, new_width, filters)`, or channels first.

    Raises:
        ValueError: if the table is none, names channels that the input has not, or does not fit
            `kernel` and `bias`; or the kernel does not fit into the input.

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
    # A taken weight is copied; as a product with a matrix of 0 and 1, that matrix would have
    # connections * channels * filters numbers.
    dense = ops.take(ops.pad(kernel, ((0, 0), (0, 0), (0, 1))), place, axis=2)
    y = group_conv2d(x, dense, strides, padding, data_format)
    return add_bias(y, bias, data_format)


def _places(table, channels):
    """Where the kernel of `(channel, filter)` lies; those not connected share what comes after."""
    places = np.full((channels, len(table)), connections_of(table), "int32")
    pairs = [(channel, o) for o, row in enumerate(table) for channel in row]
    places[tuple(zip(*pairs, strict=True))] = range(len(pairs))
    return places
