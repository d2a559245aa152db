"""Fixed image filters."""

from typing import Any

import keras
import numpy as np

from kerascnn import ops
from kerascnn.arguments import pair
from kerascnn.geometry import Sizes, Window, product, sliding
from kerascnn.ops.fixed_filter import fixed_filter2d_shape, standardize_filter
from kerascnn.ops.padding import Padding, standardize_padding
from kerascnn.ops.shapes import standardize_data_format


@keras.saving.register_keras_serializable(package="kerascnn")
class FixedFilter2D(keras.layers.Layer):
    """Applies a fixed kernel, such as a blur, to every channel.

    With strides `s`, on the padded `x`,
    `y[h, w, c] = sum over i, j of x[h * s + i, w * s + j, c] * filter[i, j]`.

    Args:
        filter: str, the name of a kernel in `kerascnn.filters`: `"identity"`,
            `"edge_diagonal"`, `"edge_4_neighbors"`, `"edge_8_neighbors"`, `"edge_horizontal"`,
            `"edge_vertical"`, `"sobel_horizontal"`, `"sobel_vertical"`, `"laplacian"`,
            `"sharpen"`, `"box_blur"`, `"gaussian_blur_3x3"`, `"gaussian_blur_5x5"` or
            `"unsharp_mask"`; or an array of shape `(height, width)`.
        strides: int or pair of ints.
        padding: `"valid"`, `"same"`, or zeros around the image: an int, a pair
            `(height, width)` or pairs `((top, bottom), (left, right))`.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.
        **kwargs: `name`, `dtype` and so on.

    Call arguments:
        inputs: tensor of rank 4; integers become floats.

    Input shape:
        `(batch, height, width, channels)`, or channels first.

    Output shape:
        `(batch, new_height, new_width, channels)`, or channels first.

    Raises:
        ValueError: if there is no filter with that name, or it does not fit into the input.

    Reference:
        Gonzalez and Woods, Digital Image Processing, chapter 3

    Example:
        >>> import keras
        >>> import kerascnn
        >>> image = keras.ops.ones((1, 5, 5, 3))
        >>> edges = kerascnn.layers.FixedFilter2D("laplacian", padding="valid")(image)
        >>> tuple(edges.shape), float(keras.ops.max(keras.ops.abs(edges)))
        ((1, 3, 3, 3), 0.0)
    """

    def __init__(
        self,
        filter: Any,
        strides: Sizes = 1,
        padding: Padding = "same",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        kernel = standardize_filter(filter)
        self.filter = filter if isinstance(filter, str) else np.asarray(kernel).tolist()
        self.kernel_size = kernel.shape
        self.strides = pair(strides, "strides")
        self.padding = standardize_padding(padding)
        self.data_format = standardize_data_format(data_format)

    def build(self, input_shape: Any) -> None:
        self.compute_output_shape(input_shape)

    def call(self, inputs: Any) -> Any:
        return ops.fixed_filter2d(inputs, self.filter, self.strides, self.padding, self.data_format)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return fixed_filter2d_shape(
            input_shape, self.filter, self.strides, self.padding, self.data_format
        )

    def compute_window(self) -> Window | None:
        return sliding(self.kernel_size, self.strides)

    def compute_multiply_adds(self, input_shape: Any, output_shape: Any) -> int | None:
        return product(*output_shape[1:], *self.kernel_size)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filter": self.filter,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
        }
