"""Local response normalization: neighboring channels inhibit each other."""

from typing import Any

import keras
from keras import ops

from kerascnn.arguments import at_least_one
from kerascnn.geometry import Window
from kerascnn.ops.precision import float_dtype, widened
from kerascnn.ops.shapes import channels_of
from kerascnn.ops.symbolic import symbolic

if keras.backend.backend() == "tensorflow":
    from kerascnn.backend.local_response_normalization import (
        local_response_normalization as tensorflow_kernel,
    )


def check_local_response_normalization(size, alpha, k):
    """Checks `size`, `alpha` and `k`."""
    at_least_one(size, "size")
    if not alpha >= 0:
        raise ValueError(f"`alpha` must be at least 0; got alpha={alpha}.")
    if not k > 0:
        raise ValueError(f"`k` must be above 0; got k={k}.")


def local_response_normalization_shape(
    shape: Any,
    size: int = 5,
    alpha: float = 1e-4,
    beta: float = 0.75,
    k: float = 2.0,
    divide_alpha: bool = False,
    data_format: str | None = None,
) -> tuple[Any, ...]:
    """Returns the output shape of `local_response_normalization`, and checks its input."""
    check_local_response_normalization(size, alpha, k)
    channels_of(shape, data_format)
    return tuple(shape)


@symbolic(local_response_normalization_shape, output_dtype=float_dtype, window=Window())
def local_response_normalization(
    x: Any,
    size: int = 5,
    alpha: float = 1e-4,
    beta: float = 0.75,
    k: float = 2.0,
    divide_alpha: bool = False,
    data_format: str | None = None,
) -> Any:
    """Divides by a power of the energy in neighboring channels.

    `y[..., c] = x[..., c] / (k + a * sum over j of x[..., j]**2)**beta`, where `j` runs from
    `c - size // 2` to `c + (size - 1) // 2` within the channels, and `a` is `alpha` or,
    with `divide_alpha`, `alpha / size`.

    Args:
        x: float tensor of rank 2 or higher, channels last or, depending on `data_format`, on axis
            1.
        size: int, the number of channels in a window.
        alpha: float, at least 0.
        beta: float.
        k: float, above 0.
        divide_alpha: bool.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.

    Returns:
        tensor of the shape and dtype of `x`; computed in at least float32.

    Raises:
        ValueError: if `size`, `alpha` or `k` is invalid.

    Reference:
        [Krizhevsky et al., 2012](https://papers.nips.cc/paper/4824)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> x = keras.ops.ones((1, 3))
        >>> y = kerascnn.ops.local_response_normalization(x, size=3, alpha=1.0, beta=1.0, k=1.0)
        >>> [round(float(value), 4) for value in y[0]]
        [0.3333, 0.25, 0.3333]
    """
    local_response_normalization_shape(x.shape, size, alpha, beta, k, divide_alpha, data_format)
    axis, _ = channels_of(x.shape, data_format)
    a = alpha / size if divide_alpha else alpha
    normalize = tensorflow_kernel if keras.backend.backend() == "tensorflow" else _plain
    return ops.cast(normalize(widened(x), size, a, beta, k, axis), float_dtype(x.dtype))


def _plain(x, size, a, beta, k, axis):
    channels = x.shape[axis]
    pads = [(0, 0)] * len(x.shape)
    pads[axis] = (size // 2, (size - 1) // 2)
    squares = ops.pad(ops.square(x), pads)
    before = (slice(None),) * axis
    energy = sum(squares[(*before, slice(i, i + channels))] for i in range(size))
    return x * ops.power(k + a * energy, -beta)
