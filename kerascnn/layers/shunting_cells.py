"""S-cells and C-cells of the Neocognitron of 1980."""

from fractions import Fraction
from typing import Any

import keras

from kerascnn import ops
from kerascnn.arguments import at_least_one, pair
from kerascnn.geometry import Sizes, Window, product
from kerascnn.initializers import WeakOrientations
from kerascnn.ops.shapes import image_shape, standardize_data_format
from kerascnn.ops.shunting_cells import (
    check_shunting_c_cells,
    check_shunting_s_cells,
    shunting_c_cells2d_shape,
    shunting_s_cells2d_shape,
    standardize_output_size,
)


class _Spaced(keras.layers.Layer):
    """Cells over windows with any spacing."""

    def compute_window(self):
        """Returns the `Window` of a cell."""
        spacing = Fraction(self.spacing).limit_denominator(100)
        return Window(self.kernel_size, (spacing, spacing))


@keras.saving.register_keras_serializable(package="kerascnn")
class ShuntingSCells2D(_Spaced):
    """Divides excitation by inhibition, like the S-cells of 1980.

    With the window `x` of each cell, padded with zeros, `phi = max(., 0)`, `r = selectivity`,
    `a = kernel[..., k]`, `b = inhibition[k]`, and `c = decay**|nu|` at the distance `|nu|` from the
    center of the window, divided by its sum over all planes and pixels,

        v = sqrt(sum over i, j, p of c[i, j] * x[i, j, p]**2)
        y = r * phi((1 + sum over i, j, p of a[i, j, p] * x[i, j, p])
                    / (1 + 2 * r / (1 + r) * b * v) - 1)

    `1e-12` is added under the root. The paper does not specify the decay.
    `kerascnn.training.self_organize` trains the cells as in the paper, without a gradient; the
    layer also has a gradient and can be trained like any other layer.

    Args:
        filters: int, the number of planes of cells.
        kernel_size: int or pair of ints, the window.
        selectivity: float above 0; with a larger value, patterns must match the learned pattern
            better.
        decay: float in (0, 1].
        output_size: int or pair of ints, the number of cells along each axis; by default one for
            each pixel.
        spacing: float, distance between cells in pixels; the cells are centered over the image.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.
        kernel_initializer: initializer of `kernel`; by default
            `kerascnn.initializers.WeakOrientations`.
        inhibition_initializer: initializer of `inhibition`.
        **kwargs: `name`, `dtype` and so on.

    Call arguments:
        inputs: float tensor of rank 4.

    Input shape:
        `(batch, height, width, planes)`, or channels first.

    Output shape:
        `(batch, new_height, new_width, filters)`, or channels first.

    Raises:
        ValueError: if a number is out of range, or the number of planes is unknown.

    Reference:
        [Fukushima, 1980](https://doi.org/10.1007/BF00344251), equations 1 to 3

    Example:
        >>> import keras
        >>> import kerascnn
        >>> layer = kerascnn.layers.ShuntingSCells2D(24, 5, output_size=8)
        >>> tuple(layer(keras.ops.ones((1, 10, 10, 24))).shape)
        (1, 8, 8, 24)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Sizes = 5,
        selectivity: float = 4.0,
        decay: float = 0.9,
        output_size: Sizes | None = None,
        spacing: float = 1.0,
        data_format: str | None = None,
        kernel_initializer: Any = None,
        inhibition_initializer: Any = "zeros",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters = at_least_one(filters, "filters")
        self.kernel_size = pair(kernel_size, "kernel_size")
        check_shunting_s_cells(selectivity, decay, spacing)
        self.selectivity = selectivity
        self.decay = decay
        self.output_size = standardize_output_size(output_size)
        self.spacing = spacing
        self.data_format = standardize_data_format(data_format)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.inhibition_initializer = keras.initializers.get(inhibition_initializer)

    @property
    def _arguments(self):
        return {
            "selectivity": self.selectivity,
            "decay": self.decay,
            "output_size": self.output_size,
            "spacing": self.spacing,
            "data_format": self.data_format,
        }

    def build(self, input_shape: Any) -> None:
        self.compute_output_shape(input_shape)
        channels = image_shape(input_shape, self.data_format)[3]
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, channels, self.filters),
            initializer=self.kernel_initializer or WeakOrientations(),
        )
        self.inhibition = self.add_weight(
            name="inhibition", shape=(self.filters,), initializer=self.inhibition_initializer
        )

    def call(self, inputs: Any) -> Any:
        return ops.shunting_s_cells2d(inputs, self.kernel, self.inhibition, **self._arguments)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        channels = image_shape(input_shape, self.data_format)[3]
        kernel_shape = (*self.kernel_size, channels, self.filters)
        return shunting_s_cells2d_shape(
            input_shape, kernel_shape, (self.filters,), **self._arguments
        )

    def compute_multiply_adds(self, input_shape: Any, output_shape: Any) -> int | None:
        *_, channels = image_shape(input_shape, self.data_format)
        _, height, width, _ = image_shape(output_shape, self.data_format)
        return product(height, width, *self.kernel_size, channels * self.filters + 1)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            **self._arguments,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "inhibition_initializer": keras.initializers.serialize(self.inhibition_initializer),
        }


@keras.saving.register_keras_serializable(package="kerascnn")
class ShuntingCCells2D(_Spaced):
    """Pools every plane, with inhibition by the mean of all planes, like the C-cells of 1980.

    With the window `x` of each cell, padded with zeros, `d = decay**|nu|` at the distance `|nu|`
    from the center of the window, and `psi(z) = phi(z) / (alpha + phi(z))` with
    `phi = max(., 0)`,

        e[k] = sum over i, j of d[i, j] * x[i, j, k]
        y[k] = psi((1 + e[k]) / (1 + mean over all planes of e) - 1)

    The paper does not specify `d`. With a sum of 1 instead of a peak of 1, the last cells hardly
    respond.

    Args:
        kernel_size: int or pair of ints, the window.
        alpha: float above 0, the input at half of the saturation.
        decay: float in (0, 1].
        output_size: int or pair of ints, the number of cells along each axis; by default one for
            each pixel.
        spacing: float, distance between cells in pixels; the cells are centered over the image.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.
        **kwargs: `name`, `dtype` and so on.

    Call arguments:
        inputs: float tensor of rank 4.

    Input shape:
        `(batch, height, width, planes)`, or channels first.

    Output shape:
        `(batch, new_height, new_width, planes)`, or channels first.

    Raises:
        ValueError: if a number is out of range, or the number of planes is unknown.

    Reference:
        [Fukushima, 1980](https://doi.org/10.1007/BF00344251), equations 4 to 6

    Example:
        >>> import keras
        >>> import kerascnn
        >>> layer = kerascnn.layers.ShuntingCCells2D(output_size=10, spacing=5 / 3)
        >>> tuple(layer(keras.ops.ones((1, 16, 16, 24))).shape)
        (1, 10, 10, 24)
    """

    def __init__(
        self,
        kernel_size: Sizes = 5,
        alpha: float = 0.5,
        decay: float = 0.8,
        output_size: Sizes | None = None,
        spacing: float = 1.0,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.kernel_size = pair(kernel_size, "kernel_size")
        check_shunting_c_cells(alpha, decay, spacing)
        self.alpha = alpha
        self.decay = decay
        self.output_size = standardize_output_size(output_size)
        self.spacing = spacing
        self.data_format = standardize_data_format(data_format)

    @property
    def _arguments(self):
        return {
            "kernel_size": self.kernel_size,
            "alpha": self.alpha,
            "decay": self.decay,
            "output_size": self.output_size,
            "spacing": self.spacing,
            "data_format": self.data_format,
        }

    def build(self, input_shape: Any) -> None:
        self.compute_output_shape(input_shape)

    def call(self, inputs: Any) -> Any:
        return ops.shunting_c_cells2d(inputs, **self._arguments)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return shunting_c_cells2d_shape(input_shape, **self._arguments)

    def compute_multiply_adds(self, input_shape: Any, output_shape: Any) -> int | None:
        return product(*output_shape[1:], *self.kernel_size)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self._arguments}
