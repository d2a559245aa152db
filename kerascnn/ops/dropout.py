"""Dropout: sets a random part of the activations to zero in training."""

from collections.abc import Iterable, Sequence
from typing import Any

import keras
from keras import ops

from kerascnn.arguments import one_of

if keras.backend.backend() == "tensorflow":
    from kerascnn.backend.dropout import bernoulli as tensorflow_kernel

MODES = ("inverted", "classic")


# These messages are the same as Keras's, whose tests also run with our layer.


def check_rate(rate):
    """Checks `rate`."""
    if not 0 <= rate <= 1:
        raise ValueError(
            "Invalid value received for argument `rate`. Expected a float value between 0 and 1. "
            f"Received: rate={rate}"
        )


def check_dropout(rate, mode):
    """Checks `rate` and `mode`."""
    check_rate(rate)
    one_of(mode, MODES, "mode")


def standardize_noise_shape(noise_shape: Any) -> tuple[int | None, ...] | None:
    """Returns `noise_shape` as a tuple of positive ints and `None`, or `None`."""
    if noise_shape is None:
        return None
    wrong = "Invalid value received for argument `noise_shape`. Expected"
    if isinstance(noise_shape, str) or not isinstance(noise_shape, Iterable):
        kind = "a tuple or list" if isinstance(noise_shape, str) else "an iterable"
        raise ValueError(f"{wrong} {kind} of integers. Received: noise_shape={noise_shape!r}")
    noise_shape = tuple(noise_shape)
    sizes = [size for size in noise_shape if size is not None]
    if not all(isinstance(size, int) for size in sizes):
        raise ValueError(
            f"{wrong} all elements to be integers or None. Received: noise_shape={noise_shape}"
        )
    if not all(size > 0 for size in sizes):
        raise ValueError(
            f"{wrong} all dimensions to be positive integers or None. "
            f"Received: noise_shape={noise_shape}"
        )
    return noise_shape


def bernoulli(shape, probability, seed=None):
    """Draws a bool tensor whose elements are independently true with the given probability."""
    if keras.backend.backend() == "tensorflow":
        return tensorflow_kernel(shape, probability, seed)
    return keras.random.uniform(shape, seed=seed) < probability


def dropout(
    x: Any,
    rate: float,
    noise_shape: Sequence[int | None] | None = None,
    seed: int | keras.random.SeedGenerator | None = None,
    mode: str = "inverted",
    training: bool = True,
) -> Any:
    """Sets each activation to zero with probability `rate` in training.

    With a mask `b` of independent draws that are 1 with probability `p = 1 - rate`:

    | mode       | training    | inference   |
    |------------|-------------|-------------|
    | `inverted` | `y = b * x / p` | `y = x` |
    | `classic`  | `y = b * x`     | `y = p * x` |

    In both modes, training and inference have the same expected output.

    Args:
        x: float tensor of any rank.
        rate: float in [0, 1], the probability of dropping.
        noise_shape: optional shape of the mask, which is broadcast to `x`; `None` in it means the
            size of `x`.
        seed: optional int or `keras.random.SeedGenerator`.
        mode: `"inverted"` (Keras, PyTorch) or `"classic"` (the original form).
        training: bool.

    Returns:
        tensor of the shape of `x`.

    Reference:
        [Srivastava et al., 2014](https://jmlr.org/papers/v15/srivastava14a.html)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> x = keras.ops.ones((2, 3))
        >>> y = kerascnn.ops.dropout(x, 0.25, mode="classic", training=False)
        >>> float(y[0, 0])
        0.75
    """
    check_dropout(rate, mode)
    keep = 1.0 - rate
    if rate == 0:
        return x
    if not training:
        return x * keep if mode == "classic" else x
    if rate == 1:
        return ops.zeros_like(x)
    shape = ops.shape(x)
    noise_shape = standardize_noise_shape(noise_shape)
    if noise_shape is not None:
        shape = [shape[i] if size is None else size for i, size in enumerate(noise_shape)]
    mask = bernoulli(shape, keep, seed)
    kept = x * (1 / keep) if mode == "inverted" else x
    # Not a product, because dropped values must be zero even where `x` is infinite.
    return ops.where(mask, kept, ops.zeros((), x.dtype))
