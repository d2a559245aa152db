"""Stochastic depth: random samples skip a residual branch in training."""

from typing import Any

import keras

from kerascnn.ops.dropout import dropout


def stochastic_depth_shape(shape: Any) -> tuple[Any, ...]:
    """Returns the output shape of `stochastic_depth`, and checks its input."""
    if not shape:
        raise ValueError("`inputs` must have at least rank 1; got rank 0 (shape ()).")
    return tuple(shape)


def stochastic_depth(
    x: Any,
    rate: float,
    seed: int | keras.random.SeedGenerator | None = None,
    mode: str = "inverted",
    training: bool = True,
) -> Any:
    """Drops whole samples with probability `rate` in training.

    This is `dropout` with one draw `b[n]` per sample, 1 with probability `p = 1 - rate`, else 0:

    | mode       | training                 | inference   |
    |------------|--------------------------|-------------|
    | `inverted` | `y[n] = b[n] * x[n] / p` | `y = x`     |
    | `classic`  | `y[n] = b[n] * x[n]`     | `y = p * x` |

    Args:
        x: float tensor of rank 1 or higher, with samples along its first axis.
        rate: float in [0, 1], the probability of dropping.
        seed: optional int or `keras.random.SeedGenerator`.
        mode: `"inverted"` or `"classic"` (the original form).
        training: bool.

    Returns:
        tensor of the shape of `x`.

    Raises:
        ValueError: if `rate` or `mode` is invalid, or `x` has rank 0.

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
