"""A kernel made by hand, applied to every channel."""

import numpy as np
from keras import ops

from kerascnn import filters
from kerascnn.ops.depthwise_conv import depthwise_conv2d, depthwise_conv2d_shape
from kerascnn.ops.precision import float_dtype
from kerascnn.ops.shapes import image_shape, one_of, standardize_data_format
from kerascnn.ops.symbolic import symbolic


def standardize_filter(filter):
    """A kernel of shape `(height, width)` from one, or from its name in `kerascnn.filters`."""
    if isinstance(filter, str):
        return getattr(filters, one_of(filter, filters.__all__, "filter"))
    kernel = np.asarray(filter, "float32")
    if kernel.ndim != 2 or not kernel.size:
        raise ValueError(
            "`filter` must be a name in kerascnn.filters or numbers of shape (height, width); "
            f"got shape {kernel.shape}."
        )
    return kernel


def _channels(shape, data_format):
    return image_shape(shape, standardize_data_format(data_format))[3]


def fixed_filter2d_shape(shape, filter, strides=1, padding="same", data_format=None):
    """Output shape of `fixed_filter2d`, and the only place its arguments are checked."""
    kernel_shape = (*standardize_filter(filter).shape, _channels(shape, data_format), 1)
    return depthwise_conv2d_shape(shape, kernel_shape, strides, padding, data_format)


@symbolic(fixed_filter2d_shape, output_dtype=float_dtype)
def fixed_filter2d(x, filter, strides=1, padding="same", data_format=None):
    """Applies one kernel to every channel by itself; see `kerascnn.layers.FixedFilter2D`."""
    fixed_filter2d_shape(x.shape, filter, strides, padding, data_format)
    x = ops.cast(x, float_dtype(x.dtype))
    kernel = standardize_filter(filter)[:, :, np.newaxis, np.newaxis]
    kernel = np.tile(kernel, (1, 1, _channels(x.shape, data_format), 1))
    return depthwise_conv2d(x, ops.cast(kernel, x.dtype), strides, padding, data_format)
