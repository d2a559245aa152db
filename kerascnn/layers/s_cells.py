"""S-cells of the later Neocognitron."""

from typing import Any

import keras

from kerascnn import ops
from kerascnn.arguments import at_least_one, pair
from kerascnn.geometry import Sizes, Window, product, sliding
from kerascnn.ops.padding import Padding, standardize_padding
from kerascnn.ops.s_cells import check_s_cells, s_cells2d_shape
from kerascnn.ops.shapes import image_shape, standardize_data_format


@keras.saving.register_keras_serializable(package="kerascnn")
class SCells2D(keras.layers.Layer):
    """Compares every window with references by the angle between them.

    These are the S-cells of the Neocognitron of 2011. With
    `<x, X> = sum over i, j, c of g[i, j] * x[i, j, c] * X[i, j, c]`, weighted by a Gaussian `g` of
    width `sigma` over the window (with sum 1), and `|x| = sqrt(<x, x>)`, for the window `x` at each
    position and each reference `X = kernel[..., k]`,

        s = <x, X> / (|x| * |X|)
        y = |x|**power * max(s - threshold, 0) / (1 - threshold)

    If the window or the reference is zero, the output is 0. `kerascnn.training.self_organize` finds
    the references without a gradient; the layer also has a gradient and can be trained like any
    other layer.

    Args:
        filters: int, the number of references, each with a plane of cells.
        kernel_size: int or pair of ints, the window.
        threshold: float in [0, 1), the smallest cosine with a response.
        power: float in [0, 1]; with 1, the output grows with the strength of the input, as in 2011;
            with 0, it depends only on the cosine.
        sigma: float, the standard deviation of the weights in pixels.
        strides: int or pair of ints.
        padding: `"same"`, `"valid"`, or zeros around the image: an int, a pair
            `(height, width)` or pairs `((top, bottom), (left, right))`.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.
        kernel_initializer: initializer of `kernel`; by default uniform in [0, 1], because the
            inputs of S-cells are not negative.
        kernel_regularizer: optional regularizer of `kernel`.
        kernel_constraint: optional constraint on `kernel`.
        **kwargs: `name`, `dtype` and so on.

    Call arguments:
        inputs: float tensor of rank 4.

    Input shape:
        `(batch, height, width, channels)`, or channels first.

    Output shape:
        `(batch, new_height, new_width, filters)`, or channels first.

    Raises:
        ValueError: if a number is out of range, or the window does not fit.

    Reference:
        [Fukushima, 2011](https://doi.org/10.1016/j.neunet.2011.03.017): subtractive inhibition

    Example:
        >>> import keras
        >>> import kerascnn
        >>> layer = kerascnn.layers.SCells2D(16, 5, threshold=0.55)
        >>> tuple(layer(keras.ops.ones((1, 28, 28, 2))).shape)
        (1, 28, 28, 16)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Sizes,
        threshold: float = 0.5,
        power: float = 1.0,
        sigma: float = 1.0,
        strides: Sizes = 1,
        padding: Padding = "same",
        data_format: str | None = None,
        kernel_initializer: Any = None,
        kernel_regularizer: Any = None,
        kernel_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters = at_least_one(filters, "filters")
        self.kernel_size = pair(kernel_size, "kernel_size")
        check_s_cells(threshold, power, sigma)
        self.threshold = threshold
        self.power = power
        self.sigma = sigma
        self.strides = pair(strides, "strides")
        self.padding = standardize_padding(padding)
        self.data_format = standardize_data_format(data_format)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)

    @property
    def _arguments(self):
        return {
            "threshold": self.threshold,
            "power": self.power,
            "sigma": self.sigma,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
        }

    def build(self, input_shape: Any) -> None:
        self.compute_output_shape(input_shape)
        channels = image_shape(input_shape, self.data_format)[3]
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, channels, self.filters),
            initializer=self.kernel_initializer or keras.initializers.RandomUniform(0.0, 1.0),
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )

    def call(self, inputs: Any) -> Any:
        return ops.s_cells2d(inputs, self.kernel, **self._arguments)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        channels = image_shape(input_shape, self.data_format)[3]
        kernel_shape = (*self.kernel_size, channels, self.filters)
        return s_cells2d_shape(input_shape, kernel_shape, **self._arguments)

    def compute_window(self) -> Window | None:
        return sliding(self.kernel_size, self.strides)

    def compute_multiply_adds(self, input_shape: Any, output_shape: Any) -> int | None:
        *_, channels = image_shape(input_shape, self.data_format)
        _, height, width, _ = image_shape(output_shape, self.data_format)
        # Each position compares its window with the references, and computes its length.
        return product(height, width, *self.kernel_size, channels * self.filters + 1)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            **self._arguments,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "kernel_constraint": keras.constraints.serialize(self.kernel_constraint),
        }
