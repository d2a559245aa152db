"""Fixed image filters."""

from typing import Any

import numpy as np
from keras import ops

from kerascnn import filters
from kerascnn.arguments import one_of
from kerascnn.geometry import Sizes
from kerascnn.ops.depthwise_conv import depthwise_conv2d, depthwise_conv2d_shape
from kerascnn.ops.padding import Padding
from kerascnn.ops.precision import float_dtype
from kerascnn.ops.shapes import known_channels
from kerascnn.ops.symbolic import symbolic


def standardize_filter(filter):
    """Returns a kernel `(height, width)` from an array or from its name in `kerascnn.filters`."""
    if isinstance(filter, str):
        return getattr(filters, one_of(filter, filters.__all__, "filter"))
    kernel = np.asarray(filter, "float32")
    if kernel.ndim != 2 or not kernel.size:
        raise ValueError(
            "`filter` must be a name in kerascnn.filters or an array of shape (height, width); "
            f"got shape {kernel.shape}."
        )
    return kernel


def fixed_filter2d_shape(
    shape: Any,
    filter: Any,
    strides: Sizes = 1,
    padding: Padding = "same",
    data_format: str | None = None,
) -> tuple[Any, ...]:
    """Returns the output shape of `fixed_filter2d`, and checks its arguments."""
    kernel_shape = (*standardize_filter(filter).shape, known_channels(shape, data_format), 1)
    return depthwise_conv2d_shape(shape, kernel_shape, strides, padding, data_format)


@symbolic(fixed_filter2d_shape, output_dtype=float_dtype)
def fixed_filter2d(
    x: Any,
    filter: Any,
    strides: Sizes = 1,
    padding: Padding = "same",
    data_format: str | None = None,
) -> Any:
    """Applies a fixed kernel to every channel.

    With strides `s`, on the padded `x`,
    `y[h, w, c] = sum over i, j of x[h * s + i, w * s + j, c] * filter[i, j]`.

    Args:
        x: tensor of shape `(batch, height, width, channels)`, or channels first.
        filter: str, a name in `kerascnn.filters`, or an array of shape `(height, width)`.
        strides: int or pair of ints.
        padding: `"valid"`, `"same"` or zeros around the image, as in `group_conv2d`.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.

    Returns:
        float tensor of shape `(batch, new_height, new_width, channels)`, or channels first.

    Raises:
        ValueError: if there is no filter with that name, or it does not fit into the input.

    Reference:
        Gonzalez and Woods, Digital Image Processing, chapter 3

    Example:
        >>> import keras
        >>> import kerascnn
        >>> y = kerascnn.ops.fixed_filter2d(keras.ops.ones((1, 3, 3, 1)), "laplacian")
        >>> keras.ops.convert_to_numpy(y)[0, :, :, 0].tolist()
        [[-2.0, -1.0, -2.0], [-1.0, 0.0, -1.0], [-2.0, -1.0, -2.0]]
    """
    fixed_filter2d_shape(x.shape, filter, strides, padding, data_format)
    x = ops.cast(x, float_dtype(x.dtype))
    kernel = standardize_filter(filter)[:, :, np.newaxis, np.newaxis]
    kernel = np.tile(kernel, (1, 1, known_channels(x.shape, data_format), 1))
    return depthwise_conv2d(x, ops.cast(kernel, x.dtype), strides, padding, data_format)
