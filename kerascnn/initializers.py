"""Initializers of kernels."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from kerascnn.arguments import one_of, pair
from kerascnn.ops.pixel_shuffle import MODES

__all__ = ["ICNR", "Bilinear"]


@keras.saving.register_keras_serializable(package="kerascnn")
class ICNR(keras.initializers.Initializer):
    """Starts a convolution before a pixel shuffle as nearest-neighbour upsampling.

    All `r * s` filters that a pixel shuffle puts into one block of pixels are drawn equal, so that
    the block has one color and no checkerboard is seen before training.

    Args:
        block_size: int, or pair of ints `(height, width)`: the `r` and `s` of the pixel shuffle.
        initializer: initializer, or its name or config, of the filters that are repeated.
        mode: `"DCR"` or `"CRD"`, that of the pixel shuffle.

    Raises:
        ValueError: if `r * s` does not divide the number of filters.

    Reference:
        [Aitken et al., 2017](https://arxiv.org/abs/1707.02937)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> kernel = kerascnn.initializers.ICNR(2)(shape=(3, 3, 8, 4))
        >>> bool(keras.ops.all(kernel[..., 0] == kernel[..., 3]))
        True
    """

    def __init__(
        self,
        block_size: int | Sequence[int] = 2,
        initializer: Any = "glorot_uniform",
        mode: str = "DCR",
    ) -> None:
        self.block_size = pair(block_size, "block_size")
        self.initializer: Any = keras.initializers.get(initializer)
        self.mode = one_of(mode, MODES, "mode")

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        rows, columns = self.block_size
        block, filters = rows * columns, shape[-1]
        if filters % block:
            raise ValueError(
                f"A block of {rows}x{columns} pixels must divide the number of filters; "
                f"got block_size={self.block_size} with {filters} filters "
                f"(kernel shape {tuple(shape)})."
            )
        drawn = self.initializer((*shape[:-1], filters // block), dtype=dtype)
        if self.mode == "CRD":
            return ops.repeat(drawn, block, axis=-1)
        return ops.tile(drawn, (1,) * (len(shape) - 1) + (block,))

    def get_config(self) -> dict[str, Any]:
        return {
            "block_size": self.block_size,
            "initializer": keras.initializers.serialize(self.initializer),
            "mode": self.mode,
        }


@keras.saving.register_keras_serializable(package="kerascnn")
class Bilinear(keras.initializers.Initializer):
    """Starts a transposed convolution as bilinear interpolation.

    With strides `s`, padding "same" and a kernel of `2 * s - s % 2` pixels, every channel is
    interpolated into the output channel of the same number; other kernels are zero. Near the rim
    the outside counts as zero.

    Reference:
        [Long et al., 2015](https://arxiv.org/abs/1411.4038)

    Example:
        >>> import kerascnn
        >>> kernel = kerascnn.initializers.Bilinear()(shape=(4, 4, 2, 2))
        >>> [float(value) for value in kernel[1, :, 0, 0]]
        [0.1875, 0.5625, 0.5625, 0.1875]
    """

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        rows, columns = (_triangle(size) for size in shape[:2])
        inputs, outputs = shape[2:]
        kernel = np.multiply.outer(np.outer(rows, columns), np.eye(inputs, outputs))
        return ops.convert_to_tensor(kernel, dtype or keras.config.floatx())

    def get_config(self) -> dict[str, Any]:
        return {}


def _triangle(size):
    """Weights that fall from the middle, such that those a stride apart add up to 1."""
    reach = (size + 1) // 2
    distance = np.abs(np.arange(size) - (size - 1) / 2)
    return 1 - distance / reach


def __dir__():
    return __all__
