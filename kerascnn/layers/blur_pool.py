"""Blur pooling."""

from typing import Any

import keras

from kerascnn import ops
from kerascnn.arguments import one_of, pair
from kerascnn.geometry import Sizes, Window, product, sliding
from kerascnn.ops.blur_pool import PADDINGS, blur_pool2d_shape
from kerascnn.ops.shapes import standardize_data_format


@keras.saving.register_keras_serializable(package="kerascnn")
class BlurPool2D(keras.layers.Layer):
    """Downsamples images after blurring every channel with a fixed binomial kernel.

    Strided convolution and pooling alias: an image that is shifted by one pixel gives different
    results. Used instead of the stride, after a convolution or max pooling with strides of 1, this
    layer keeps the results nearly the same. With the kernel
    `b[i, j] = comb(k - 1, i) * comb(k - 1, j) / 4**(k - 1)` and strides `s`, on the padded `x`,

        y[h, w, c] = sum over i, j of x[h * s + i, w * s + j, c] * b[i, j]

    Args:
        kernel_size: int or pair of ints, `k`: 2 for a box, 3 for a triangle, 5 for an approximate
            Gaussian.
        strides: int or pair of ints.
        padding: `"reflect"` reflects `(k - 1) // 2` pixels before and `k // 2` after each axis at
            the border, `"same"` adds zeros as Keras's convolutions do, `"valid"` adds nothing.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.
        **kwargs: `name`, `dtype` and so on.

    Call arguments:
        inputs: float tensor of rank 4.

    Input shape:
        `(batch, height, width, channels)`, or channels first.

    Output shape:
        `(batch, new_height, new_width, channels)`, or channels first; the new sizes are
        `ceil(size / strides)` except with padding `"valid"`.

    Raises:
        ValueError: if the image is too small for the reflection or for the kernel, or an argument
            is invalid.

    Reference:
        [Zhang, 2019](https://arxiv.org/abs/1904.11486)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> tuple(kerascnn.layers.BlurPool2D()(keras.ops.ones((1, 7, 8, 3))).shape)
        (1, 4, 4, 3)
    """

    def __init__(
        self,
        kernel_size: Sizes = 3,
        strides: Sizes = 2,
        padding: str = "reflect",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        pair(kernel_size, "kernel_size")
        pair(strides, "strides")
        self.kernel_size = kernel_size
        self.strides = strides
        self.padding = one_of(padding, PADDINGS, "padding")
        self.data_format = standardize_data_format(data_format)

    @property
    def _arguments(self):
        return {
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
        }

    def build(self, input_shape: Any) -> None:
        self.compute_output_shape(input_shape)

    def call(self, inputs: Any) -> Any:
        return ops.blur_pool2d(inputs, **self._arguments)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return blur_pool2d_shape(input_shape, **self._arguments)

    def compute_window(self) -> Window | None:
        return sliding(self.kernel_size, self.strides)

    def compute_multiply_adds(self, input_shape: Any, output_shape: Any) -> int | None:
        return product(*output_shape[1:], *pair(self.kernel_size, "kernel_size"))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self._arguments}
