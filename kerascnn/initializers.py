"""Kernel initializers."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from kerascnn.arguments import one_of, pair
from kerascnn.ops.contrast_extraction import contrast_kernel
from kerascnn.ops.pixel_shuffle import MODES
from kerascnn.ops.weightings import check_decay, decaying

__all__ = ["ICNR", "Bilinear", "OrientedEdges", "WeakOrientations"]


@keras.saving.register_keras_serializable(package="kerascnn")
class ICNR(keras.initializers.Initializer):
    """Initializes a convolution before a pixel shuffle to nearest-neighbor upsampling.

    All `r * s` filters that a pixel shuffle moves into one block of pixels are initially equal, so
    that every block has one color and there is no checkerboard pattern before training.

    Args:
        block_size: int, or pair of ints `(height, width)`: the `r` and `s` of the pixel shuffle.
        initializer: initializer of the repeated filters, or its name or config.
        mode: `"DCR"` or `"CRD"`, the mode of the pixel shuffle.

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
    """Initializes a transposed convolution to bilinear interpolation.

    With strides `s`, padding "same" and a kernel of `2 * s - s % 2` pixels, every channel is
    interpolated into the output channel with the same index; all other weights are zero. Pixels
    outside the image count as zero.

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
    """Returns weights that decrease from the center; weights a stride apart have the sum 1."""
    reach = (size + 1) // 2
    distance = np.abs(np.arange(size) - (size - 1) / 2)
    return 1 - distance / reach


@keras.saving.register_keras_serializable(package="kerascnn")
class OrientedEdges(keras.initializers.Initializer):
    """Initializes S-cells to detectors of straight edges, after `ContrastExtraction2D`.

    Filter `k` of `K` is the contrast of an edge between 0 and 1 through the center of the window,
    which becomes brighter in the direction `2 * pi * k / K`. The first half of the channels are the
    off-center cells. Use the same arguments as in the contrast layer.

    Args:
        contrast_size: int, the window size of the contrast cells.
        center: float, the standard deviation of their center in pixels.
        surround: float, the standard deviation of their surround.

    Raises:
        ValueError: if the number of channels is odd.

    Reference:
        [Fukushima, 2003](https://doi.org/10.1016/S0925-2312(02)00614-8): the edge-extracting layer

    Example:
        >>> import kerascnn
        >>> kernel = kerascnn.initializers.OrientedEdges()(shape=(5, 5, 2, 16))
        >>> [round(float(value), 2) for value in kernel[2, :, 1, 0]]  # on-center: right of the edge
        [0.0, 0.0, 0.0, 0.29, 0.14]
    """

    def __init__(self, contrast_size: int = 7, center: float = 0.65, surround: float = 1.3) -> None:
        self.contrast_size = contrast_size
        self.center = center
        self.surround = surround

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        height, width, channels, filters = shape
        if channels % 2:
            raise ValueError(
                "The number of channels must be even, half of them off-center cells; got "
                f"{channels} (kernel shape {tuple(shape)})."
            )
        weights = contrast_kernel(self.contrast_size, self.center, self.surround)
        rows, columns = (
            np.arange(size + self.contrast_size - 1) - (size + self.contrast_size - 2) / 2
            for size in (height, width)
        )
        angles = 2 * np.pi * np.arange(filters) / filters
        across = rows[:, None, None] * np.sin(angles) + columns[:, None] * np.cos(angles)
        edges = np.clip(across + 0.5, 0, 1)
        windows = np.lib.stride_tricks.sliding_window_view(edges, weights.shape, (0, 1))
        contrast = np.einsum("hwfij,ij->hwf", windows, weights)[:, :, np.newaxis]
        half = (1, 1, channels // 2, 1)
        kernel = [np.tile(np.maximum(sign * contrast, 0), half) for sign in (-1, 1)]
        return ops.convert_to_tensor(np.concatenate(kernel, 2), dtype or keras.config.floatx())

    def get_config(self) -> dict[str, Any]:
        return {
            "contrast_size": self.contrast_size,
            "center": self.center,
            "surround": self.surround,
        }


@keras.saving.register_keras_serializable(package="kerascnn")
class WeakOrientations(keras.initializers.Initializer):
    """Initializes S-cells of 1980 with a weak preference for an orientation, deterministically.

    With the distance `t` of a pixel from a line through the center of the window at the angle
    `pi * k / K` of filter `k` of `K`, and its distance `|nu|` from the center, the weight of plane
    `p` of `P` is

        strength * exp(-slope * t) * (1 + 0.5 * cos(2 * pi * (p / P - k / K))) * decay**|nu|

    The paper only says that the initial weights are small and positive, and that the preference is
    weak.

    Args:
        strength: float above 0.
        decay: float in (0, 1].
        slope: float above 0; a smaller value makes the preference for an orientation weaker.

    Raises:
        ValueError: if a number is out of range.

    Reference:
        [Fukushima, 1980](https://doi.org/10.1007/BF00344251), section 3

    Example:
        >>> import kerascnn
        >>> kernel = kerascnn.initializers.WeakOrientations()(shape=(5, 5, 1, 24))
        >>> bool(kernel[2, 4, 0, 0] > kernel[0, 2, 0, 0])  # the first prefers a horizontal line
        True
    """

    def __init__(self, strength: float = 1e-4, decay: float = 0.9, slope: float = 0.1) -> None:
        for name, value in (("strength", strength), ("slope", slope)):
            if not value > 0:
                raise ValueError(f"`{name}` must be above 0; got {name}={value}.")
        self.strength = strength
        self.decay = check_decay(decay)
        self.slope = slope

    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any:
        height, width, planes, filters = shape
        rows, columns = (
            np.arange(size)[:, None, None, None] - (size - 1) / 2 for size in (height, width)
        )
        k = np.arange(filters) / filters
        angles = np.pi * k
        across = np.abs(np.sin(angles) * np.swapaxes(columns, 0, 1) + np.cos(angles) * rows)
        by_plane = 1 + 0.5 * np.cos(2 * np.pi * (np.arange(planes)[:, None] / planes - k))
        falling = decaying((height, width), self.decay)[:, :, None, None]
        kernel = self.strength * np.exp(-self.slope * across) * by_plane * falling
        return ops.convert_to_tensor(kernel, dtype or keras.config.floatx())

    def get_config(self) -> dict[str, Any]:
        return {"strength": self.strength, "decay": self.decay, "slope": self.slope}


def __dir__():
    return __all__
