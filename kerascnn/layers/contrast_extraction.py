"""The contrast cells of the Neocognitron."""

from typing import Any

import keras

from kerascnn import ops
from kerascnn.arguments import pair
from kerascnn.geometry import Sizes, Window, product, sliding
from kerascnn.ops.contrast_extraction import (
    check_contrast_extraction,
    contrast_extraction2d_shape,
)
from kerascnn.ops.padding import Padding, standardize_padding
from kerascnn.ops.shapes import standardize_data_format


@keras.saving.register_keras_serializable(package="kerascnn")
class ContrastExtraction2D(keras.layers.Layer):
    """Extracts where pixels are darker and where they are brighter than their surround.

    This is the layer `U_G` of the Neocognitron. With `a`, a Gaussian of width `center` minus a
    Gaussian of width `surround`, scaled so that its positive weights have the sum 1 (all weights
    together have the sum 0), on the padded `x` of `C` channels,

        z[h, w, c] = sum over i, j of a[i, j] * x[h + i, w + j, c]
        y[h, w, c] = max(-z[h, w, c], 0),  y[h, w, C + c] = max(z[h, w, c], 0)

    The first `C` planes are off-center cells, the others on-center cells.

    Args:
        kernel_size: int or pair of ints, the window.
        center: float, the standard deviation of the center in pixels.
        surround: float above `center`, the standard deviation of the surround.
        padding: `"same"`, `"valid"`, or zeros around the image: an int, a pair
            `(height, width)` or pairs `((top, bottom), (left, right))`.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.
        **kwargs: `name`, `dtype` and so on.

    Call arguments:
        inputs: tensor of rank 4; integers become floats.

    Input shape:
        `(batch, height, width, channels)`, or channels first.

    Output shape:
        `(batch, height, width, 2 * channels)`, or channels first.

    Raises:
        ValueError: if `center` is not narrower than `surround`, or the window does not fit.

    Reference:
        [Fukushima, 2003](https://doi.org/10.1016/S0925-2312(02)00614-8), section 2

    Example:
        >>> import keras
        >>> import kerascnn
        >>> layer = kerascnn.layers.ContrastExtraction2D()
        >>> tuple(layer(keras.ops.ones((1, 28, 28, 1))).shape)
        (1, 28, 28, 2)
    """

    def __init__(
        self,
        kernel_size: Sizes = 7,
        center: float = 0.65,
        surround: float = 1.3,
        padding: Padding = "same",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.kernel_size = pair(kernel_size, "kernel_size")
        self.center = center
        self.surround = surround
        self.padding = standardize_padding(padding)
        self.data_format = standardize_data_format(data_format)
        check_contrast_extraction(self.kernel_size, center, surround, padding)

    @property
    def _arguments(self):
        return {
            "kernel_size": self.kernel_size,
            "center": self.center,
            "surround": self.surround,
            "padding": self.padding,
            "data_format": self.data_format,
        }

    def build(self, input_shape: Any) -> None:
        self.compute_output_shape(input_shape)

    def call(self, inputs: Any) -> Any:
        return ops.contrast_extraction2d(inputs, **self._arguments)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return contrast_extraction2d_shape(input_shape, **self._arguments)

    def compute_window(self) -> Window | None:
        return sliding(self.kernel_size)

    def compute_multiply_adds(self, input_shape: Any, output_shape: Any) -> int | None:
        values = product(*output_shape[1:], *self.kernel_size)
        return None if values is None else values // 2  # two cells share each product

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self._arguments}
