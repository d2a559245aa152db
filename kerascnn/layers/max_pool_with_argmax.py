"""Max pooling that returns the position of each maximum."""

from typing import Any

import keras

from kerascnn import ops
from kerascnn.arguments import one_of, pair
from kerascnn.geometry import Sizes, Window, WithoutProducts
from kerascnn.ops.max_pool_with_argmax import (
    max_pool_with_argmax2d_shape,
    max_pool_with_argmax2d_window,
)
from kerascnn.ops.shapes import standardize_data_format


@keras.saving.register_keras_serializable(package="kerascnn")
class MaxPoolWithArgmax2D(WithoutProducts, keras.layers.Layer):
    """Returns the maximum of every window and its position, for `MaxUnpool2D`.

    `y[h, w, c] = max over i, j of x[h * s + i, w * s + j, c]`, and `indices[h, w, c]` is
    `row * width + column` of the first pixel with this value, the same in both data formats (and in
    PyTorch).

    Args:
        pool_size: int or pair of ints.
        strides: int or pair of ints; by default `pool_size`.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.
        **kwargs: `name`, `dtype` and so on.

    Call arguments:
        inputs: float tensor of rank 4.

    Input shape:
        `(batch, height, width, channels)`, or channels first.

    Output shape:
        two tensors of shape `(batch, new_height, new_width, channels)`, or channels first: the
        maxima, and their indices as int32.

    Raises:
        ValueError: if the window does not fit into the input.

    Reference:
        [Zeiler and Fergus, 2014](https://arxiv.org/abs/1311.2901)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> y, indices = kerascnn.layers.MaxPoolWithArgmax2D(2)(keras.ops.zeros((1, 4, 4, 3)))
        >>> tuple(y.shape), tuple(indices.shape)
        ((1, 2, 2, 3), (1, 2, 2, 3))
    """

    def __init__(
        self,
        pool_size: Sizes = 2,
        strides: Sizes | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.pool_size = pair(pool_size, "pool_size")
        self.strides = self.pool_size if strides is None else pair(strides, "strides")
        self.padding = one_of(padding, ("valid", "same"), "padding")
        self.data_format = standardize_data_format(data_format)

    def build(self, input_shape: Any) -> None:
        self.compute_output_shape(input_shape)

    def call(self, inputs: Any) -> tuple[Any, Any]:
        return ops.max_pool_with_argmax2d(
            inputs, self.pool_size, self.strides, self.padding, self.data_format
        )

    def compute_output_shape(self, input_shape: Any) -> tuple[tuple[int | None, ...], ...]:
        return max_pool_with_argmax2d_shape(
            input_shape, self.pool_size, self.strides, self.padding, self.data_format
        )

    def compute_window(self) -> Window | None:
        return max_pool_with_argmax2d_window(self.pool_size, self.strides)

    def compute_output_spec(self, inputs: Any) -> tuple[Any, ...]:
        pooled, indices = self.compute_output_shape(inputs.shape)
        return keras.KerasTensor(pooled, self.compute_dtype), keras.KerasTensor(indices, "int32")

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
        }
