"""Bilinear upsampling by integer factors."""

from typing import Any

import keras
from keras import ops

from kerascnn.arguments import pair
from kerascnn.geometry import Sizes, refining
from kerascnn.ops.precision import float_dtype
from kerascnn.ops.shapes import image_shape, in_format, standardize_data_format, times
from kerascnn.ops.symbolic import symbolic

if keras.backend.backend() == "tensorflow":
    from kerascnn.backend.bilinear_upsampling import bilinear_upsampling2d as tensorflow_kernel


def bilinear_upsampling2d_shape(
    shape: Any, size: Sizes, data_format: str | None = None
) -> tuple[Any, ...]:
    """Returns the output shape of `bilinear_upsampling2d`, and checks its arguments."""
    rows, columns = pair(size, "size")
    data_format = standardize_data_format(data_format)
    batch, height, width, channels = image_shape(shape, data_format)
    return in_format(batch, times(height, rows), times(width, columns), channels, data_format)


def bilinear_upsampling2d_window(size, data_format=None):
    """Returns the `Window` of `bilinear_upsampling2d`: two pixels on each upsampled axis."""
    size = pair(size, "size")
    return refining(size, tuple(2 * factor if factor > 1 else 1 for factor in size))


@symbolic(
    bilinear_upsampling2d_shape, output_dtype=float_dtype, window=bilinear_upsampling2d_window
)
def bilinear_upsampling2d(x: Any, size: Sizes, data_format: str | None = None) -> Any:
    """Upsamples images by bilinear interpolation.

    Along each axis, with the factor `r` and `d[j] = (j + 1/2) / r - 1/2`,

        y[i * r + j] = x[i] + max(d[j], 0) * (x[i + 1] - x[i]) + min(d[j], 0) * (x[i] - x[i - 1])

    where pixels beyond the border repeat the border, as in `keras.layers.UpSampling2D` with
    `interpolation="bilinear"` and in PyTorch's `interpolate` with `align_corners=False`.

    Args:
        x: float tensor of shape `(batch, height, width, channels)`, or channels first.
        size: int or pair of ints, the upsampling factors of height and width.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.

    Returns:
        float tensor of shape `(batch, height * rows, width * columns, channels)`, or channels
        first.

    Raises:
        ValueError: if `size` is less than 1.

    Example:
        >>> import keras
        >>> import kerascnn
        >>> x = keras.ops.reshape(keras.ops.array([0.0, 4.0]), (1, 1, 2, 1))
        >>> y = kerascnn.ops.bilinear_upsampling2d(x, (1, 2))
        >>> keras.ops.convert_to_numpy(y).ravel().tolist()
        [0.0, 1.0, 3.0, 4.0]
    """
    bilinear_upsampling2d_shape(x.shape, size, data_format)
    rows, columns = pair(size, "size")
    data_format = standardize_data_format(data_format)
    x = ops.cast(x, float_dtype(x.dtype))
    if keras.backend.backend() == "tensorflow":
        return tensorflow_kernel(x, rows, columns, data_format)
    _, height, width, _ = image_shape(x.shape, data_format)
    larger = (height * rows, width * columns)
    return ops.image.resize(x, larger, interpolation="bilinear", data_format=data_format)
