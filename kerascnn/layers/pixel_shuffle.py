"""Pixel shuffle and its inverse."""

from typing import Any

import keras

from kerascnn import ops
from kerascnn.arguments import one_of, pair
from kerascnn.geometry import Sizes, Window, WithoutProducts
from kerascnn.ops.pixel_shuffle import (
    MODES,
    pixel_shuffle_shape,
    pixel_shuffle_window,
    pixel_unshuffle_shape,
    pixel_unshuffle_window,
)
from kerascnn.ops.shapes import standardize_data_format


class _PixelLayer(WithoutProducts, keras.layers.Layer):
    """The common base class of `PixelShuffle` and `PixelUnshuffle`."""

    def __init__(
        self, block_size: Sizes, mode: str = "DCR", data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        pair(block_size, "block_size")
        self.block_size = block_size
        self.mode = one_of(mode, MODES, "mode")
        self.data_format = standardize_data_format(data_format)

    def build(self, input_shape: Any) -> None:
        self.compute_output_shape(input_shape)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "block_size": self.block_size,
            "mode": self.mode,
            "data_format": self.data_format,
        }


@keras.saving.register_keras_serializable(package="kerascnn")
class PixelShuffle(_PixelLayer):
    """Rearranges channels into blocks of pixels, which increases the resolution.

    With blocks of `r` rows and `s` columns (`block_size = r = s` or `(r, s)`) and `C` output
    channels, `y[h * r + i, w * s + j, c]` is

    - `x[h, w, (i * s + j) * C + c]` in mode `"DCR"` (TensorFlow's `depth_to_space`),
    - `x[h, w, c * r * s + i * s + j]` in mode `"CRD"` (PyTorch's `PixelShuffle`),

    in both data formats and on every backend.

    Args:
        block_size: int, or pair of ints `(height, width)`, each at least 1.
        mode: `"DCR"` or `"CRD"`, the terms of ONNX's DepthToSpace.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.

    Call arguments:
        inputs: tensor of rank 4 and any dtype.

    Input shape:
        `(batch, height, width, channels)`, or channels first.

    Output shape:
        `(batch, height * r, width * s, channels / (r * s))`, or channels first.

    Raises:
        ValueError: if `r * s` does not divide `channels`.

    Reference:
        [Shi et al., 2016](https://arxiv.org/abs/1609.05158)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> tuple(kerascnn.layers.PixelShuffle(2)(keras.ops.zeros((1, 4, 4, 8))).shape)
        (1, 8, 8, 2)
    """

    def call(self, inputs: Any) -> Any:
        return ops.pixel_shuffle(inputs, self.block_size, self.mode, self.data_format)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return pixel_shuffle_shape(input_shape, self.block_size, self.mode, self.data_format)

    def compute_window(self) -> Window | None:
        return pixel_shuffle_window(self.block_size)


@keras.saving.register_keras_serializable(package="kerascnn")
class PixelUnshuffle(_PixelLayer):
    """Rearranges blocks of pixels into channels: the inverse of `PixelShuffle`.

    With blocks of `r` rows and `s` columns and `C` input channels, `PixelShuffle` with the same
    arguments restores the input: `x[h * r + i, w * s + j, c]` becomes
    `y[h, w, (i * s + j) * C + c]` in mode `"DCR"` and `y[h, w, c * r * s + i * s + j]` in mode
    `"CRD"`.

    Args:
        block_size: int, or pair of ints `(height, width)`, each at least 1.
        mode: `"DCR"` or `"CRD"`, the terms of ONNX's DepthToSpace.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.

    Call arguments:
        inputs: tensor of rank 4 and any dtype.

    Input shape:
        `(batch, height, width, channels)`, or channels first.

    Output shape:
        `(batch, height / r, width / s, channels * r * s)`, or channels first.

    Raises:
        ValueError: if `r` does not divide the height or `s` the width.

    Reference:
        [Shi et al., 2016](https://arxiv.org/abs/1609.05158)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> tuple(kerascnn.layers.PixelUnshuffle(2)(keras.ops.zeros((1, 8, 8, 2))).shape)
        (1, 4, 4, 8)
    """

    def call(self, inputs: Any) -> Any:
        return ops.pixel_unshuffle(inputs, self.block_size, self.mode, self.data_format)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return pixel_unshuffle_shape(input_shape, self.block_size, self.mode, self.data_format)

    def compute_window(self) -> Window | None:
        return pixel_unshuffle_window(self.block_size)
