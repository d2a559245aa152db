"""Batch normalization: mean 0 and variance 1 in every channel of a mini-batch."""

from typing import Any

import keras
from keras import ops

from kerascnn.ops.precision import widened
from kerascnn.ops.shapes import channel_axis

if keras.backend.backend() == "tensorflow":
    from kerascnn.backend import batch_normalization as tensorflow_kernel
else:
    tensorflow_kernel = None


def _other_axes(x, axis):
    return [i for i in range(len(x.shape)) if i != axis]


def _along(vector, x, axis):
    """Reshapes a vector with one value per channel so that it broadcasts to `x`, in its dtype."""
    shape = [-1 if i == axis else 1 for i in range(len(x.shape))]
    return ops.reshape(ops.cast(vector, x.dtype), shape)


def moments(
    x: Any, axis: int = -1, mask: Any = None, synchronized: bool = False
) -> tuple[Any, Any]:
    """Computes the mean and (biased) variance of every channel over the mini-batch.

    `mean[c] = 1 / m * sum_i x[i, c]` and `variance[c] = 1 / m * sum_i (x[i, c] - mean[c])**2`,
    where `i` runs over the `m` positions of the batch where `mask` is true.

    Args:
        x: float tensor of any rank.
        axis: int, the channel axis.
        mask: optional tensor of the shape of `x` without its last axis; positions where it is false
            are left out.
        synchronized: bool, whether the replicas of a `tf.distribute` strategy share their
            statistics.

    Returns:
        pair of tensors of shape `(channels,)`, in float32 if `x` is narrower.
    """
    axis = channel_axis(x.shape, axis)
    x = widened(x)
    axes = _other_axes(x, axis)
    if mask is not None:
        counts = ops.broadcast_to(ops.expand_dims(mask, -1), ops.shape(x))
        counts = ops.cast(ops.cast(counts, "bool"), x.dtype)
        # epsilon: a fully masked batch has mean 0, not 0 / 0
        m = ops.sum(counts, axes) + keras.config.epsilon()
        mean = ops.sum(ops.where(counts > 0, x, 0), axes) / m
        deviation = ops.where(counts > 0, x - _along(mean, x, axis), 0)
        return mean, ops.sum(ops.square(deviation), axes) / m
    if synchronized and tensorflow_kernel.is_in_replica():
        return tensorflow_kernel.synchronized_moments(x, axes)
    mean = ops.mean(x, axes)
    variance = ops.mean(ops.square(x - _along(mean, x, axis)), axes)
    return mean, variance


def normalize(
    x: Any,
    mean: Any,
    variance: Any,
    gamma: Any = None,
    beta: Any = None,
    axis: int = -1,
    epsilon: float = 1e-3,
    constant_statistics: bool = False,
) -> Any:
    """Normalizes with given statistics, then scales and shifts.

    `y = gamma * (x - mean) / sqrt(variance + epsilon) + beta`, channel by channel.

    Args:
        x: float tensor of any rank.
        mean: tensor of shape `(channels,)`.
        variance: tensor of shape `(channels,)`.
        gamma: optional tensor of shape `(channels,)`, the scale; 1 by default.
        beta: optional tensor of shape `(channels,)`, the shift; 0 by default.
        axis: int, the channel axis.
        epsilon: float, added to the variance.
        constant_statistics: bool, whether `mean` and `variance` are constant, as at inference. Then
            they have no gradient, and TensorFlow is faster.

    Returns:
        tensor of the shape and dtype of `x`; float32 for integers.

    Reference:
        [Ioffe and Szegedy, 2015](https://arxiv.org/abs/1502.03167)
    """
    x = ops.convert_to_tensor(x)
    axis = channel_axis(x.shape, axis)
    if constant_statistics and tensorflow_kernel and tensorflow_kernel.is_fused(x, axis):
        return tensorflow_kernel.normalize(x, mean, variance, gamma, beta, epsilon)
    wide = widened(x)
    scale = ops.rsqrt(_along(variance, wide, axis) + epsilon)
    if gamma is not None:
        scale = _along(gamma, wide, axis) * scale
    y = (wide - _along(mean, wide, axis)) * scale
    if beta is not None:
        y = y + _along(beta, wide, axis)
    return y if "int" in keras.backend.standardize_dtype(x.dtype) else ops.cast(y, x.dtype)


def batch_normalization(
    x: Any, gamma: Any = None, beta: Any = None, axis: int = -1, epsilon: float = 1e-3
) -> tuple[Any, Any, Any]:
    """Normalizes a mini-batch with its own statistics: the form used in training.

    Computes `mean, variance = moments(x)`, then `y = normalize(x, mean, variance, gamma, beta)`;
    gradients also flow through the statistics.

    Args:
        x: float tensor of any rank.
        gamma: optional tensor of shape `(channels,)`, the scale.
        beta: optional tensor of shape `(channels,)`, the shift.
        axis: int, the channel axis.
        epsilon: float, added to the variance.

    Returns:
        `(y, mean, variance)`: the normalized batch and its biased statistics, without gradient, for
        a moving average.

    Example:
        >>> import numpy as np
        >>> import kerascnn
        >>> x = np.array([[1.0], [3.0]], "float32")
        >>> y, mean, variance = kerascnn.ops.batch_normalization(x, epsilon=0.0)
        >>> np.asarray(y).tolist(), float(mean[0]), float(variance[0])
        ([[-1.0], [1.0]], 2.0, 1.0)
    """
    x = ops.convert_to_tensor(x)
    axis = channel_axis(x.shape, axis)
    if tensorflow_kernel and tensorflow_kernel.is_fused_in_training(x, axis):
        return tensorflow_kernel.batch_normalization(x, gamma, beta, epsilon)
    mean, variance = moments(x, axis)
    y = normalize(x, mean, variance, gamma, beta, axis, epsilon)
    return y, ops.stop_gradient(mean), ops.stop_gradient(variance)
