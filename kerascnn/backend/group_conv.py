"""Group convolution in the fastest form for the current machine.

TensorFlow's convolution supports groups if the kernel has fewer input channels than the image. Its
CPU build has the gradients of this form only with oneDNN, in float32 and, on some processors, in
half precision. Otherwise, the groups are merged into a few dense convolutions.
"""

import functools
from concurrent.futures import ThreadPoolExecutor

import keras
import tensorflow as tf

from kerascnn.backend.forked import threads_are_lost
from kerascnn.backend.private_tensorflow import compiled_by_xla, onednn_is_on

# Dense convolutions are fastest with about this many input channels.
_BLOCK_CHANNELS = 32
# Native groups are fastest with at least this many input channels, or with one.
_NARROWEST_CHANNELS = 8


def group_conv2d(x, kernel, strides, padding, data_format, dilation_rate):
    """Convolves in groups; their number is the ratio of input channels of `x` and `kernel`."""
    if is_emulated(x.dtype):
        x, kernel, dtype = tf.cast(x, tf.float32), tf.cast(kernel, tf.float32), x.dtype
        y = group_conv2d(x, kernel, strides, padding, data_format, dilation_rate)
        return tf.cast(y, dtype)
    if data_format == "channels_first" and has_gpu():
        return tf.nn.conv2d(x, kernel, strides, padding.upper(), "NCHW", dilation_rate)
    if data_format == "channels_first":  # on a CPU, convolutions need channels last
        x = tf.transpose(x, (0, 2, 3, 1))
    y = _channels_last(x, kernel, strides, padding, dilation_rate)
    return tf.transpose(y, (0, 3, 1, 2)) if data_format == "channels_first" else y


def form(channels, groups, strides, native, dilated=False):
    """Returns the form of a group convolution, and its number of (merged) groups.

    Args:
        channels: int, input channels.
        groups: int.
        strides: pair of ints.
        native: bool, whether TensorFlow's own group convolution is complete on this machine.
        dilated: bool, whether the kernel is dilated.

    Returns:
        `("native", groups)`, `("depthwise", channels)` or `("split", blocks)`; an ordinary
        convolution is one group.
    """
    per_group = channels // groups
    if groups > 1 and per_group == 1 and strides[0] == strides[1] and not (native and dilated):
        # As fast as native groups, and a bias can be fused on every machine. But with dilation,
        # this op copies the image to blocks and back.
        return "depthwise", groups
    if native:
        # Narrow groups leave vector registers half empty; merged to eight channels, they train
        # faster. (With strides, groups of four channels do not.)
        narrow = per_group == 2 or (per_group == 4 and max(strides) == 1)
        merge = _NARROWEST_CHANNELS // per_group if narrow else 1
        return "native", groups // merge if groups % merge == 0 else groups
    blocks = [n for n in range(1, groups + 1) if groups % n == 0]
    return "split", min(blocks, key=lambda n: abs(channels // n - _BLOCK_CHANNELS))


def _channels_last(x, kernel, strides, padding, dilation_rate):
    channels, filters = x.shape[-1], kernel.shape[-1]
    groups = channels // kernel.shape[2]
    dilated = max(dilation_rate) > 1
    complete = native_is_complete(x.dtype)
    if dilated and groups > 1 and x.dtype == tf.bfloat16:
        # TensorFlow 2.21: on processors with bfloat16 but without AMX, the gradient of the kernel
        # is NaN or the process crashes; on all processors if every channel is a group.
        complete = False
    chosen, count = form(channels, groups, strides, complete, dilated)
    if dilated and padding == "same" and _pads_explicitly(x, strides, complete):
        x, padding = _padded_as_same(x, kernel.shape[:2], strides, dilation_rate), "valid"
    padding = padding.upper()
    if dilated and max(strides) > 1 and not complete:
        # No gradients with strides and dilation together: computes all pixels and keeps some.
        y = _channels_last(x, kernel, (1, 1), "valid", dilation_rate)
        return y[:, :: strides[0], :: strides[1]]
    if threads_are_lost():
        # oneDNN's kernels would wait for the lost threads; Keras's form of group convolution is
        # compiled by XLA and, for a few images, runs in one thread.
        return keras.ops.conv(x, kernel, strides, padding.lower(), "channels_last", dilation_rate)
    if chosen == "depthwise":
        # Channel c has the filters c * m to (c + 1) * m - 1 in both layouts.
        kernel = tf.reshape(kernel, (*kernel.shape[:2], channels, filters // channels))
        strides = (1, *strides, 1)
        return tf.nn.depthwise_conv2d(x, kernel, strides, padding, dilations=dilation_rate)
    kernel = merged(kernel, groups, groups // count)
    # Unlike tf.nn.conv2d, tf.nn.convolution has gradients with dilation on every machine.
    convolution = tf.nn.conv2d if chosen == "native" else tf.nn.convolution
    convolve = functools.partial(
        convolution, strides=strides, padding=padding, dilations=dilation_rate
    )
    if count == 1:
        return convolve(x, kernel)
    if chosen == "native":
        return _unfused(convolve(x, kernel))
    parts = zip(tf.split(x, count, axis=-1), tf.split(kernel, count, axis=-1), strict=True)
    return tf.concat([convolve(*part) for part in parts], axis=-1)


def _unfused(y):
    """Returns `y`, and prevents TensorFlow from fusing the next operation into the convolution.

    A SavedModel may be served by a TensorFlow without oneDNN, where a group convolution that is
    fused with a bias or batch normalization fails.
    """
    return tf.ensure_shape(y, y.shape)


def _pads_explicitly(x, strides, complete):
    """Returns whether to convert "same" padding of a dilated kernel to explicit zeros.

    ONNX Runtime does not support "same" with dilation, which the exporter keeps if the size is
    unknown. With strides, the zeros depend on the size and would not be constants in the graph.
    """
    if max(strides) > 1:
        return not complete
    return None in x.shape[1:3]


def _padded_as_same(x, kernel_size, strides, dilation_rate):
    pads = [(0, 0)]
    for axis in (0, 1):
        total = (kernel_size[axis] - 1) * dilation_rate[axis]
        if strides[axis] > 1:
            size, stride = tf.shape(x)[1 + axis], strides[axis]
            total = tf.maximum((-(-size // stride) - 1) * stride + total + 1 - size, 0)
        pads.append((total // 2, total - total // 2))
    return tf.pad(x, [*pads, (0, 0)])


def merged(kernel, groups, merge):
    """Returns the kernel of the same convolution with `merge` neighboring groups merged.

    Inside a merged group, the kernel is block-diagonal: zero from the input channels of one group
    to the filters of another.
    """
    if merge == 1:
        return kernel
    per_group, filters = kernel.shape[2:]
    group_of_channel = tf.repeat(tf.range(merge), per_group)
    group_of_filter = tf.range(filters) // (filters // groups) % merge
    same_group = group_of_channel[:, tf.newaxis] == group_of_filter
    return tf.tile(kernel, (1, 1, merge, 1)) * tf.cast(same_group, kernel.dtype)


def native_is_complete(dtype):
    """Returns whether native group convolution and its gradients may be used in this graph."""
    return is_native(dtype) and not _compiled_for_cpu()


def is_native(dtype):
    """Returns whether native group convolution has gradients for this dtype on this machine."""
    if threads_are_lost():  # the probe would wait for these threads
        return False
    if not has_gpu():
        if not onednn_is_on():
            return False
        if dtype == tf.float32:
            return True
    return _probed(dtype)


@functools.cache
def _probed(dtype):
    """Returns whether the gradients exist, by computing them once."""
    # In a new thread, which runs eagerly, because the caller may be tracing a graph.
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(_probe, dtype).result()


def _probe(dtype):
    @tf.function
    def step(x, kernel):
        with tf.GradientTape() as tape:
            tape.watch((x, kernel))
            y = tf.nn.conv2d(x, kernel, 1, "SAME")
        return y, tape.gradient(y, (x, kernel))

    try:
        step(tf.ones((1, 4, 4, 4), dtype), tf.ones((3, 3, 2, 4), dtype))
    except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError, tf.errors.NotFoundError):
        return False
    return True


def is_emulated(dtype):
    """Returns whether TensorFlow has only slow convolutions in this dtype on this machine.

    In half precision without oneDNN, or on a processor without such kernels in oneDNN, a
    convolution and its gradients take many times as long as in float32, and gradients of the kernel
    are less accurate.
    """
    narrow = dtype in (tf.float16, tf.bfloat16)
    return narrow and not has_gpu() and not is_native(dtype)


def has_gpu():
    """Returns whether TensorFlow uses a GPU: one that was not hidden from it."""
    return bool(tf.config.get_visible_devices("GPU"))


def _compiled_for_cpu():
    """Returns whether XLA compiles the graph for a CPU, where its group convolutions are slow."""
    return not has_gpu() and compiled_by_xla()
