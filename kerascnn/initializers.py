"""Initializers of kernels."""

import keras
from keras import ops

from kerascnn.ops.pixel_shuffle import MODES
from kerascnn.ops.shapes import one_of, pair

__all__ = ["ICNR"]


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

    def __init__(self, block_size=2, initializer="glorot_uniform", mode="DCR"):
        self.block_size = pair(block_size, "block_size")
        self.initializer = keras.initializers.get(initializer)
        self.mode = one_of(mode, MODES, "mode")

    def __call__(self, shape, dtype=None):
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

    def get_config(self):
        return {
            "block_size": self.block_size,
            "initializer": keras.initializers.serialize(self.initializer),
            "mode": self.mode,
        }
