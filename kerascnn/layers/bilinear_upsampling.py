"""Bilinear upsampling by integer factors."""

from typing import Any

import keras

from kerascnn import ops
from kerascnn.arguments import pair
from kerascnn.geometry import Sizes, Window, WithoutProducts
from kerascnn.ops.bilinear_upsampling import (
    bilinear_upsampling2d_shape,
    bilinear_upsampling2d_window,
)
from kerascnn.ops.shapes import standardize_data_format


@keras.saving.register_keras_serializable(package="kerascnn")
class BilinearUpsampling2D(WithoutProducts, keras.layers.Layer):
    """Upsamples images by bilinear interpolation.

    Along each axis, with the factor `r` and `d[j] = (j + 1/2) / r - 1/2`,

        y[i * r + j] = x[i] + max(d[j], 0) * (x[i + 1] - x[i]) + min(d[j], 0) * (x[i] - x[i - 1])

    where pixels beyond the border repeat the border. The results are the same as with
    `keras.layers.UpSampling2D` and `interpolation="bilinear"`, which in Keras 3.15 fails in a
    TensorFlow graph with an unknown image size.

    Args:
        size: int or pair of ints, the upsampling factors of height and width.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.
        **kwargs: `name`, `dtype` and so on.

    Call arguments:
        inputs: float tensor of rank 4.

    Input shape:
        `(batch, height, width, channels)`, or channels first.

    Output shape:
        `(batch, height * rows, width * columns, channels)`, or channels first.

    Raises:
        ValueError: if `size` is less than 1.

    Example:
        >>> import keras
        >>> import kerascnn
        >>> y = kerascnn.layers.BilinearUpsampling2D(2)(keras.ops.zeros((1, 4, 5, 3)))
        >>> tuple(y.shape)
        (1, 8, 10, 3)
    """

    def __init__(self, size: Sizes = 2, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = pair(size, "size")
        self.data_format = standardize_data_format(data_format)

    def build(self, input_shape: Any) -> None:
        self.compute_output_shape(input_shape)

    def call(self, inputs: Any) -> Any:
        return ops.bilinear_upsampling2d(inputs, self.size, self.data_format)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return bilinear_upsampling2d_shape(input_shape, self.size, self.data_format)

    def compute_window(self) -> Window | None:
        return bilinear_upsampling2d_window(self.size)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "size": self.size, "data_format": self.data_format}
