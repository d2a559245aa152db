"""Stochastic depth: a random part of the samples skips a residual branch in training."""

from kerascnn.ops.dropout import dropout


def stochastic_depth_shape(shape):
    """Output shape of `stochastic_depth`, and the only place its input is checked."""
    if not shape:
        raise ValueError("`inputs` must have rank 1 at least; got rank 0 (shape ()).")
    return tuple(shape)


def stochastic_depth(x, rate, seed=None, mode="inverted", training=True):
    """Drops the whole of a sample with probability `rate` in training.

    This is `dropout` with one draw `b[n]` per sample, 1 with probability `p = 1 - rate`, else 0:

    | mode       | training                 | inference   |
    |------------|--------------------------|-------------|
    | `inverted` | `y[n] = b[n] * x[n] / p` | `y = x`     |
    | `classic`  | `y[n] = b[n] * x[n]`     | `y = p * x` |

    Args:
        x: float tensor of rank 1 at least, the samples along its first axis.
        rate: float from 0 to 1, the probability of dropping.
        seed: optional int or `keras.random.SeedGenerator`.
        mode: `"inverted"` or `"classic"` (the original form).
        training: bool.

    Returns:
        tensor of the shape of `x`.

    Raises:
        ValueError: if `rate` or `mode` is none of the above, or `x` has rank 0.

    Reference:
        [Huang et al., 2016](https://arxiv.org/abs/1603.09382)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> y = kerascnn.ops.stochastic_depth(keras.ops.ones((1000, 2)), 0.5)
        >>> sorted(set(map(tuple, keras.ops.convert_to_numpy(y).tolist())))
        [(0.0, 0.0), (2.0, 2.0)]
    """
    noise_shape = (None,) + (1,) * (len(stochastic_depth_shape(x.shape)) - 1)
    return dropout(x, rate, noise_shape, seed, mode, training)
