"""Transposed convolution."""

import numbers
from typing import Any

import keras
from keras import ops

from kerascnn.arguments import at_least_one, pair
from kerascnn.backend import keras_conv
from kerascnn.geometry import Sizes
from kerascnn.ops.empty_batch import takes_empty_batches
from kerascnn.ops.group_conv import group_conv2d
from kerascnn.ops.padding import Padding, of_axes, pad, reach, standardize_padding
from kerascnn.ops.pixel_shuffle import pixel_shuffle
from kerascnn.ops.shapes import image_shape, in_format, known_channels, standardize_data_format
from kerascnn.ops.symbolic import symbolic

if keras.backend.backend() == "tensorflow":
    from kerascnn.backend import conv_transpose as tensorflow_kernel
else:
    tensorflow_kernel = None


def conv_transpose2d_shape(
    shape: Any,
    kernel_shape: Any,
    strides: Sizes = 1,
    padding: Padding = "valid",
    output_padding: Sizes | None = None,
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
    groups: int = 1,
    portable: bool = True,
) -> tuple[Any, ...]:
    """Returns the output shape of `conv_transpose2d`, and checks its arguments."""
    strides = pair(strides, "strides")
    dilation_rate = pair(dilation_rate, "dilation_rate")
    padding = standardize_padding(padding)
    output_padding = standardize_output_padding(output_padding, strides)
    data_format = standardize_data_format(data_format)
    batch, height, width, _ = image_shape(shape, data_format)
    channels = known_channels(shape, data_format)
    if len(kernel_shape) != 4 or kernel_shape[3] != channels:
        raise ValueError(
            "`kernel` must have the shape (height, width, filters / groups, channels); "
            f"got kernel shape {tuple(kernel_shape)} with {channels} channels "
            f"(input shape {tuple(shape)})."
        )
    if channels % at_least_one(groups, "groups"):
        raise ValueError(
            "`groups` must divide the number of input channels; "
            f"got groups={groups} with {channels} channels (input shape {tuple(shape)})."
        )
    if max(strides) > 1 and max(dilation_rate) > 1:
        raise ValueError(
            "`strides` above 1 cannot be combined with `dilation_rate` above 1; "
            f"got strides={strides} and dilation_rate={dilation_rate}."
        )
    axes = _axes(kernel_shape, strides, padding, output_padding, dilation_rate)
    spatial = [
        None if size is None else (size - 1) * stride + extra
        for size, stride, (_, extra) in zip((height, width), strides, axes, strict=True)
    ]
    if any(size is not None and size < 1 for size in spatial):
        raise ValueError(
            "`padding` must leave at least one output pixel; "
            f"got padding={padding!r} with kernel size {tuple(kernel_shape[:2])} and "
            f"strides={strides} on input shape {tuple(shape)}."
        )
    height, width = spatial
    return in_format(batch, height, width, kernel_shape[2] * groups, data_format)


def standardize_output_padding(output_padding, strides):
    """Returns `None` or a pair of ints of at least 0, less than the strides."""
    if output_padding is None:
        return None
    extra = output_padding
    if isinstance(extra, numbers.Integral):
        extra = (extra, extra)
    if (
        not isinstance(extra, (tuple, list))
        or len(extra) != 2
        or not all(
            isinstance(size, numbers.Integral) and 0 <= size < stride
            for size, stride in zip(extra, strides, strict=True)
        )
    ):
        raise ValueError(
            "`output_padding` must be an int or a pair of ints, at least 0 and less than "
            f"`strides`; got output_padding={output_padding!r} with strides={strides}."
        )
    return int(extra[0]), int(extra[1])


def _axes(kernel_shape, strides, padding, output_padding, dilation_rate):
    """Returns `(before, extra)` for the height and the width.

    The full result has `(size - 1) * stride + span` pixels, where `span` is the size of the dilated
    kernel. The output is the `(size - 1) * stride + extra` pixels from pixel `before` on, padded
    with zeros if it is longer.
    """
    axes = []
    for i, (stride, sides) in enumerate(zip(strides, of_axes(padding), strict=True)):
        size = kernel_shape[i]
        span = reach(size, dilation_rate[i])
        added = None if output_padding is None else output_padding[i]
        if sides == "valid":
            axes.append((0, max(span, stride) if added is None else span + added))
        elif sides == "same":
            extra = stride if added is None else span % 2 + added
            axes.append((max(span - extra, 0) // 2, extra))
        else:
            axes.append((sides[0], span - (sides[0] + sides[1]) + (added or 0)))
    return axes


@symbolic(conv_transpose2d_shape, tensors=2)
@takes_empty_batches
def conv_transpose2d(
    x: Any,
    kernel: Any,
    strides: Sizes = 1,
    padding: Padding = "valid",
    output_padding: Sizes | None = None,
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
    groups: int = 1,
    portable: bool = True,
) -> Any:
    """Transposed convolution, which upsamples images by the strides.

    It is the adjoint of convolution: with strides `s` and dilation rate `d`,

        y[h * s + i * d - before, w * s + j * d - before, o] += x[h, w, c] * kernel[i, j, o, c]

    for all `h, w, i, j, c`. With groups, the `filters / groups` outputs of a group see only the
    channels of that group. With `span = (kernel_size - 1) * d + 1`, an axis of `n` pixels becomes
    `(n - 1) * s + extra` pixels long:

    | padding           | extra                       | extra, without output padding |
    |-------------------|-----------------------------|-------------------------------|
    | `"valid"`         | `span + output_padding`     | `max(span, s)`                |
    | `"same"`          | `span % 2 + output_padding` | `s`                           |
    | `(before, after)` | `span - before - after + output_padding` | with 0 for it    |

    `before` is 0 for "valid", and `max(span - extra, 0) // 2` for "same".

    Args:
        x: float tensor of shape `(batch, height, width, channels)`, or channels first.
        kernel: float tensor of shape `(kernel_height, kernel_width, filters / groups, channels)`.
        strides: int or pair of ints.
        padding: `"valid"`, `"same"`, or the number of pixels to crop from the output, as in
            PyTorch: an int, a pair `(height, width)` or pairs `((top, bottom), (left, right))`.
        output_padding: optional int or pair of ints, less than the strides.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.
        dilation_rate: int or pair of ints; above 1 only with strides of 1.
        groups: int.
        portable: bool, whether other runtimes (ONNX, LiteRT, OpenVINO) must be able to run the
            graph; otherwise, groups train faster on TensorFlow.

    Returns:
        float tensor of shape `(batch, new_height, new_width, filters)`, or channels first.

    Raises:
        ValueError: if the channels do not divide into groups, or the output would be empty.

    Reference:
        [Dumoulin and Visin, 2016](https://arxiv.org/abs/1603.07285)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> x, kernel = keras.ops.ones((1, 5, 5, 8)), keras.ops.ones((3, 3, 12, 8))
        >>> y = kerascnn.ops.conv_transpose2d(x, kernel, strides=2, padding="same")
        >>> tuple(y.shape)
        (1, 10, 10, 12)
    """
    conv_transpose2d_shape(
        x.shape,
        kernel.shape,
        strides,
        padding,
        output_padding,
        data_format,
        dilation_rate,
        groups,
    )
    x, kernel = ops.convert_to_tensor(x), ops.convert_to_tensor(kernel)
    strides = pair(strides, "strides")
    dilation_rate = pair(dilation_rate, "dilation_rate")
    data_format = standardize_data_format(data_format)
    axes = _axes(
        kernel.shape,
        strides,
        standardize_padding(padding),
        standardize_output_padding(output_padding, strides),
        dilation_rate,
    )
    if tensorflow_kernel and tensorflow_kernel.is_native(x, dilation_rate, groups, portable):
        return tensorflow_kernel.conv_transpose2d(x, kernel, strides, axes, data_format, groups)
    if tensorflow_kernel or groups > 1:
        return _by_convolution(x, kernel, strides, axes, data_format, dilation_rate, groups)
    return _by_keras(x, kernel, strides, axes, data_format, dilation_rate)


def _by_convolution(x, kernel, strides, axes, data_format, dilation_rate, groups):
    """Computes the same by a convolution with `s * s` times the channels and a pixel shuffle.

    Along an axis, `y[q * s + p] = sum over j of x[q - j] * kernel[j * s + p]`: for each `p`, a
    convolution with every `s`-th row of the kernel, in reverse order.
    """
    pads, crops, taps = [], [], []
    for size, stride, dilation, (before, extra) in zip(
        kernel.shape[:2], strides, dilation_rate, axes, strict=True
    ):
        rows = -(-size // stride)
        left = max((rows - 1) * dilation - before // stride, 0)
        right = max((before + extra - 1) // stride, 0)
        first = (rows - 1) * dilation - left  # the smallest q to compute
        start = before - first * stride
        pads.append((left, right))
        crops.append((start, (1 + right - first) * stride - start - extra))
        taps.append(rows)
    (rows, columns), (row_stride, column_stride) = taps, strides
    kernel_rows, kernel_columns, filters, channels = kernel.shape
    kernel = ops.pad(
        kernel,
        (
            (0, rows * row_stride - kernel_rows),
            (0, columns * column_stride - kernel_columns),
            (0, 0),
            (0, 0),
        ),
    )
    split = (rows, row_stride, columns, column_stride, filters, groups, channels // groups)
    # One axis at a time, because OpenVINO does not support two at once.
    kernel = ops.flip(ops.flip(ops.reshape(kernel, split), 0), 2)
    kernel = ops.transpose(kernel, (0, 2, 6, 5, 4, 1, 3))
    kernel = ops.reshape(kernel, (rows, columns, channels // groups, -1))
    y = group_conv2d(x, kernel, 1, pads, data_format, dilation_rate)
    if strides != (1, 1):
        y = pixel_shuffle(y, strides, "CRD", data_format)
    return _cropped(y, crops, data_format)


def _by_keras(x, kernel, strides, axes, data_format, dilation_rate):
    y = keras_conv.conv_transpose(
        x,
        kernel,
        strides=strides,
        padding="valid",
        data_format=data_format,
        dilation_rate=dilation_rate,
    )
    crops = []
    for size, stride, dilation, (before, extra) in zip(
        kernel.shape[:2], strides, dilation_rate, axes, strict=True
    ):
        crops.append((before, max(reach(size, dilation), stride) - before - extra))
    missing = [(0, max(-after, 0)) for _, after in crops]
    y = pad(y, tuple(missing), data_format)
    return _cropped(y, [(before, max(after, 0)) for before, after in crops], data_format)


def _cropped(y, crops, data_format):
    """Crops rows and columns at the start and end of `y`."""
    if not any(map(any, crops)):
        return y
    rows, columns = (slice(before, -after or None) for before, after in crops)
    if data_format == "channels_first":
        return y[:, :, rows, columns]
    return y[:, rows, columns]
