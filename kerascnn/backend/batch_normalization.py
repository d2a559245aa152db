"""Batch normalization with TensorFlow's fused op, which reads and writes the batch once."""

import tensorflow as tf

from kerascnn.backend.group_conv import has_gpu
from kerascnn.backend.onednn import has_avx512
from kerascnn.backend.portable import is_portable
from kerascnn.backend.private_tensorflow import onednn_is_on
from kerascnn.backend.xla import may_be_compiled_by_xla


def is_fused(x, axis):
    """Returns whether the fused op supports the input: channels last, statistics in float32."""
    return axis == len(x.shape) - 1 and x.dtype in (tf.float32, tf.float16, tf.bfloat16)


def is_fused_in_training(x, axis):
    """Returns whether the fused op supports the input and computes accurate statistics.

    XLA expands the op to `E[x**2] - E[x]**2`, which is inaccurate if the mean is much larger than
    the standard deviation (TensorFlow 2.21).
    """
    return is_fused(x, axis) and not may_be_compiled_by_xla()


def is_fused_in_inference(x):
    """Returns whether the fused op is the fastest form with constant statistics.

    TensorFlow fuses the op with a convolution whose output it reads. With oneDNN but without
    AVX-512, that kernel is many times slower for one image; otherwise it is the faster form (see
    `benchmarks/results/inference.md`). Alone, and without oneDNN, the op is slower than one
    multiplication and one addition. In half precision, the op is also more accurate.
    """
    if x.dtype != tf.float32 or has_gpu():
        return True
    if is_portable():
        return False
    return has_avx512() if onednn_is_on() else _is_output_of_convolution(x)


def _is_output_of_convolution(x):
    # Without a graph, operations are not fused, and one of them costs less than several.
    return not tf.is_symbolic_tensor(x) or x.op.type == "Conv2D"


def _fused(x, gamma, beta, epsilon, mean=(), variance=(), is_training=False):
    channels = x.shape[-1]
    gamma = tf.ones((channels,)) if gamma is None else tf.cast(gamma, tf.float32)
    beta = tf.zeros((channels,)) if beta is None else tf.cast(beta, tf.float32)
    # The op expects images; other tensors are reshaped to a column of pixels. (cuDNN limits the
    # number of images, to 65,535 in inference.)
    image = x if len(x.shape) == 4 else tf.reshape(x, (1, -1, 1, channels))
    y, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=image,
        scale=gamma,
        offset=beta,
        mean=mean,
        variance=variance,
        epsilon=epsilon,
        is_training=is_training,
    )
    if len(x.shape) != 4:
        y = tf.reshape(y, tf.shape(x))
        y.set_shape(x.shape)
    return y, mean, variance


def normalize(x, mean, variance, gamma, beta, epsilon):
    """Computes `gamma * (x - mean) / sqrt(variance + epsilon) + beta` with constant statistics.

    In inference mode, the op has no gradients with respect to `mean` and `variance`.
    """
    mean, variance = tf.cast(mean, tf.float32), tf.cast(variance, tf.float32)
    if is_fused_in_inference(x):
        return _fused(x, gamma, beta, epsilon, mean, variance)[0]
    scale = tf.math.rsqrt(variance + epsilon)
    if gamma is not None:
        scale *= tf.cast(gamma, tf.float32)
    shift = mean * scale
    # One operation less than with `-shift`: a model may have a hundred of these.
    return x * scale + (tf.cast(beta, tf.float32) - shift if beta is not None else -shift)


def batch_normalization(x, gamma, beta, epsilon):
    """Normalizes `x` with its own mean and variance, and also returns them."""
    y, mean, variance = _fused(x, gamma, beta, epsilon, is_training=True)
    # The op returns the unbiased variance, m / (m - 1) times the biased one. Of a single value,
    # that is 0 on a CPU and not a number on a GPU.
    m = tf.cast(tf.size(x) // x.shape[-1], tf.float32)
    biased = tf.math.multiply_no_nan(variance, (m - 1) / m)
    return y, tf.stop_gradient(mean), tf.stop_gradient(biased)


def is_in_replica():
    """Returns whether a `tf.distribute` strategy, or none, runs the code for one replica.

    It does not where a model is called in the `scope()` of a strategy, as to build it.
    """
    return tf.distribute.get_replica_context() is not None


def synchronized_moments(x, axes):
    """Returns mean and variance over `axes` for the batches of all replicas together.

    The mean is computed before the deviations from it are summed: `E[x**2] - E[x]**2` needs one
    exchange less, but is inaccurate if the mean is large.
    """
    replicas = tf.distribute.get_replica_context()
    size = tf.cast(tf.reduce_prod(tf.gather(tf.shape(x), axes)), x.dtype)
    total, size = replicas.all_reduce("SUM", [tf.reduce_sum(x, axes, keepdims=True), size])
    mean = total / size
    deviation = tf.reduce_sum(tf.square(x - mean), axes)
    variance = replicas.all_reduce("SUM", deviation) / size
    return tf.squeeze(mean, axes), variance
