"""C-cells of the later Neocognitron."""

from typing import Any

import keras

from kerascnn import ops
from kerascnn.arguments import one_of, pair
from kerascnn.geometry import Sizes, Window, product, sliding
from kerascnn.ops.c_cells import c_cells2d_shape, c_cells_window
from kerascnn.ops.shapes import standardize_data_format


@keras.saving.register_keras_serializable(package="kerascnn")
class CCells2D(keras.layers.Layer):
    """Pools every plane by its weighted root mean square.

    These are the C-cells of the Neocognitron of 2011, which tolerate small shifts. With a Gaussian
    `a` of width `sigma` over the window (with sum 1) and strides `s`, on the padded `x`,

        y[h, w, c] = sqrt(sum over i, j of a[i, j] * x[h * s + i, w * s + j, c]**2 + e) - sqrt(e)

    where `e = 1e-12` keeps the gradient finite if all inputs are 0.

    Args:
        sigma: float, the standard deviation of the Gaussian in pixels.
        strides: int or pair of ints.
        kernel_size: int or pair of ints, the window; by default `2 * ceil(2 * sigma) + 1`.
        padding: `"same"`, which adds zeros, or `"valid"`.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.
        **kwargs: `name`, `dtype` and so on.

    Call arguments:
        inputs: float tensor of rank 4.

    Input shape:
        `(batch, height, width, channels)`, or channels first.

    Output shape:
        `(batch, new_height, new_width, channels)`, or channels first.

    Raises:
        ValueError: if `sigma` is not above 0, or the window does not fit.

    Reference:
        [Fukushima, 2011](https://doi.org/10.1016/j.neunet.2011.03.017): root mean square

    Example:
        >>> import keras
        >>> import kerascnn
        >>> layer = kerascnn.layers.CCells2D(strides=3)
        >>> tuple(layer(keras.ops.ones((1, 16, 16, 4))).shape)
        (1, 6, 6, 4)
    """

    def __init__(
        self,
        sigma: float = 1.0,
        strides: Sizes = 2,
        kernel_size: Sizes | None = None,
        padding: str = "same",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.kernel_size = c_cells_window(sigma, kernel_size)
        self.sigma = sigma
        self.strides = pair(strides, "strides")
        self.padding = one_of(padding, ("same", "valid"), "padding")
        self.data_format = standardize_data_format(data_format)

    @property
    def _arguments(self):
        return {
            "sigma": self.sigma,
            "strides": self.strides,
            "kernel_size": self.kernel_size,
            "padding": self.padding,
            "data_format": self.data_format,
        }

    def build(self, input_shape: Any) -> None:
        self.compute_output_shape(input_shape)

    def call(self, inputs: Any) -> Any:
        return ops.c_cells2d(inputs, **self._arguments)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return c_cells2d_shape(input_shape, **self._arguments)

    def compute_window(self) -> Window | None:
        return sliding(self.kernel_size, self.strides)

    def compute_multiply_adds(self, input_shape: Any, output_shape: Any) -> int | None:
        return product(*output_shape[1:], *self.kernel_size)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self._arguments}
