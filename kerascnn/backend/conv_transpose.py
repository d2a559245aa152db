"""Transposed convolution as TensorFlow's gradient of a convolution."""

import tensorflow as tf

from kerascnn.backend.group_conv import has_gpu, is_emulated, native_is_complete


def is_native(x, dilation_rate, groups, portable):
    """Returns whether to use TensorFlow's own op.

    It supports groups where native group convolution is complete, but no exporter supports this
    form, and LiteRT does not support dilation in it.
    """
    if max(dilation_rate) > 1:
        return False
    return groups == 1 or (not portable and native_is_complete(x.dtype))


def conv_transpose2d(x, kernel, strides, axes, data_format, groups):
    """Computes `(size - 1) * stride + extra` pixels from pixel `before` on, for each axis.

    Args:
        x: tensor, channels last or first.
        kernel: tensor of shape `(height, width, filters / groups, channels)`.
        strides: pair of ints.
        axes: `(before, extra)` for the height and the width.
        data_format: str.
        groups: int.
    """
    if is_emulated(x.dtype):
        x, kernel, dtype = tf.cast(x, tf.float32), tf.cast(kernel, tf.float32), x.dtype
        y = conv_transpose2d(x, kernel, strides, axes, data_format, groups)
        return tf.cast(y, dtype)
    if data_format == "channels_first" and has_gpu():
        return _transposed(x, kernel, strides, axes, "NCHW", groups)
    if data_format == "channels_first":  # on a CPU, convolutions need channels last
        x = tf.transpose(x, (0, 2, 3, 1))
    y = _transposed(x, kernel, strides, axes, "NHWC", groups)
    return tf.transpose(y, (0, 3, 1, 2)) if data_format == "channels_first" else y


def _transposed(x, kernel, strides, axes, data_format, groups):
    sizes = list(zip(kernel.shape[:2], strides, axes, strict=True))
    crops = [(0, 0), (0, 0)]
    if all(
        0 < extra <= stride and before == max(size - extra, 0) // 2
        for size, stride, (before, extra) in sizes
    ):
        padding, extras = "SAME", [extra for _, extra in axes]
    else:
        padding, extras = "VALID", []
        for i, (size, stride, (before, extra)) in enumerate(sizes):
            # The op adds less than a stride of zeros; crop the rest, or add the missing ones.
            whole = max(size, min(before + extra, size + stride - 1))
            extras.append(whole)
            crops[i] = (before, whole - before - extra)
    spatial = (2, 3) if data_format == "NCHW" else (1, 2)
    known = x.shape.as_list()
    shape = tf.shape(x)
    output = [shape[0] if known[0] is None else known[0]]
    output += [
        ((shape[axis] if known[axis] is None else known[axis]) - 1) * stride + extra
        for axis, stride, extra in zip(spatial, strides, extras, strict=True)
    ]
    output.insert(1 if data_format == "NCHW" else 3, kernel.shape[2] * groups)
    y = tf.raw_ops.Conv2DBackpropInput(
        input_sizes=tf.stack(output),
        filter=kernel,
        out_backprop=x,
        strides=[1, 1, *strides] if data_format == "NCHW" else [1, *strides, 1],
        padding=padding,
        data_format=data_format,
    )
    if not any(map(any, crops)):
        return y
    rows, columns = (slice(before, -after or None) for before, after in crops)
    return y[:, :, rows, columns] if data_format == "NCHW" else y[:, rows, columns]
