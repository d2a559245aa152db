"""Blur pooling: low-pass filtering before downsampling."""

import math
from typing import Any

import numpy as np
from keras import ops

from kerascnn.arguments import one_of, pair
from kerascnn.geometry import Sizes
from kerascnn.ops.empty_batch import takes_empty_batches
from kerascnn.ops.group_conv import group_conv2d, group_conv2d_shape
from kerascnn.ops.padding import Padding
from kerascnn.ops.precision import float_dtype
from kerascnn.ops.shapes import image_shape, in_format, standardize_data_format
from kerascnn.ops.symbolic import symbolic

PADDINGS = ("reflect", "same", "valid")


def blur_pool2d_shape(
    shape: Any,
    kernel_size: Sizes = 3,
    strides: Sizes = 2,
    padding: str = "reflect",
    data_format: str | None = None,
) -> tuple[Any, ...]:
    """Returns the output shape of `blur_pool2d`, and checks its arguments."""
    kernel_size = pair(kernel_size, "kernel_size")
    one_of(padding, PADDINGS, "padding")
    data_format = standardize_data_format(data_format)
    _, *sizes, channels = image_shape(shape, data_format)
    sides: Padding = padding
    if padding == "reflect":
        sides = reflected = _reflection(kernel_size)
        if any(
            size is not None and size <= after
            for size, (_, after) in zip(sizes, reflected, strict=True)
        ):
            raise ValueError(
                "`padding` 'reflect' needs more than `kernel_size // 2` pixels along each axis; "
                f"got kernel_size={kernel_size} on input shape {tuple(shape)}."
            )
    kernel_shape = (*kernel_size, 1, channels)
    return group_conv2d_shape(shape, kernel_shape, strides, sides, data_format)


def _reflection(kernel_size):
    """Returns the number of reflected pixels: `((top, bottom), (left, right))`."""
    return tuple(((size - 1) // 2, size // 2) for size in kernel_size)


def _reflect(x, height, width, data_format):
    if height == width == (0, 0):
        return x
    if height == (0, 0) and data_format == "channels_first":
        # On PyTorch, Keras 3.15 cannot reflect only the last axis of an image.
        x = _reflect(ops.swapaxes(x, 2, 3), width, height, data_format)
        return ops.swapaxes(x, 2, 3)
    return ops.pad(x, in_format((0, 0), height, width, (0, 0), data_format), mode="reflect")


def _binomial(kernel_size):
    """Returns the outer product of two rows of Pascal's triangle, with sum 1."""
    rows, columns = ([math.comb(size - 1, i) for i in range(size)] for size in kernel_size)
    kernel = np.outer(rows, columns)
    return kernel / kernel.sum()


@symbolic(blur_pool2d_shape, output_dtype=float_dtype)
@takes_empty_batches
def blur_pool2d(
    x: Any,
    kernel_size: Sizes = 3,
    strides: Sizes = 2,
    padding: str = "reflect",
    data_format: str | None = None,
) -> Any:
    """Blurs every channel with a binomial kernel, and keeps every `strides`-th pixel.

    With the kernel `b[i, j] = comb(k - 1, i) * comb(k - 1, j) / 4**(k - 1)` and strides `s`, on the
    padded `x`,

        y[h, w, c] = sum over i, j of x[h * s + i, w * s + j, c] * b[i, j]

    Args:
        x: float tensor of shape `(batch, height, width, channels)`, or channels first.
        kernel_size: int or pair of ints, `k`.
        strides: int or pair of ints.
        padding: `"reflect"` reflects `(k - 1) // 2` pixels before and `k // 2` after each axis at
            the border, `"same"` adds zeros as Keras's convolutions do, `"valid"` adds nothing.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.

    Returns:
        float tensor of shape `(batch, new_height, new_width, channels)`, or channels first.

    Raises:
        ValueError: if the image is too small for the reflection or for the kernel.

    Reference:
        [Zhang, 2019](https://arxiv.org/abs/1904.11486)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> x = keras.ops.reshape(keras.ops.array([0.0, 0.0, 1.0, 0.0, 0.0]), (1, 1, 5, 1))
        >>> y = kerascnn.ops.blur_pool2d(x, kernel_size=(1, 3), strides=1)
        >>> keras.ops.convert_to_numpy(y).ravel().tolist()
        [0.0, 0.25, 0.5, 0.25, 0.0]
    """
    blur_pool2d_shape(x.shape, kernel_size, strides, padding, data_format)
    kernel_size = pair(kernel_size, "kernel_size")
    data_format = standardize_data_format(data_format)
    x = ops.cast(x, float_dtype(x.dtype))
    if padding == "reflect":
        vertical, horizontal = _reflection(kernel_size)
        x, padding = _reflect(x, vertical, horizontal, data_format), "valid"
    channels = image_shape(x.shape, data_format)[3]
    kernel = np.broadcast_to(_binomial(kernel_size)[:, :, None, None], (*kernel_size, 1, channels))
    kernel = ops.convert_to_tensor(kernel, x.dtype)
    return group_conv2d(x, kernel, strides, padding, data_format)
