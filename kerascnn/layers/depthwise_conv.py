"""Depthwise convolution."""

from typing import Any

import keras

from kerascnn import ops
from kerascnn.geometry import Sizes
from kerascnn.layers.keras_conv import KerasConv, explicit, known_to_keras
from kerascnn.ops.depthwise_conv import depthwise_conv2d_shape
from kerascnn.ops.padding import Padding


@keras.saving.register_keras_serializable(package="kerascnn")
class DepthwiseConv2D(KerasConv, keras.layers.DepthwiseConv2D):
    """Filters every channel separately: drop-in for `keras.layers.DepthwiseConv2D`.

    With `M = depth_multiplier` filters per channel, strides `s` and dilation rate `d`, on the
    padded `x`,

        y[h, w, c * M + m] = bias[c * M + m]
            + sum over i, j of x[h * s + i * d, w * s + j * d, c] * kernel[i, j, c, m]

    Args:
        kernel_size: int or pair of ints.
        strides: int or pair of ints.
        padding: `"valid"`, `"same"`, or zeros around the image: an int, a pair
            `(height, width)` or pairs `((top, bottom), (left, right))`.
        depth_multiplier: int, the number of filters per channel.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.
        dilation_rate: int or pair of ints.
        activation: activation function, or `None`.
        use_bias: bool.
        depthwise_initializer: initializer of `kernel`.
        bias_initializer: initializer of `bias`.
        depthwise_regularizer: optional regularizer of `kernel`.
        bias_regularizer: optional regularizer of `bias`.
        activity_regularizer: optional regularizer of the output.
        depthwise_constraint: optional constraint on `kernel`.
        bias_constraint: optional constraint on `bias`.
        **kwargs: `name`, `dtype` and so on.

    Call arguments:
        inputs: float tensor of rank 4.

    Input shape:
        `(batch, height, width, channels)`, or channels first.

    Output shape:
        `(batch, new_height, new_width, channels * depth_multiplier)`, or channels first.

    Raises:
        ValueError: if the kernel does not fit into the input, or an argument is invalid.

    Reference:
        [Howard et al., 2017](https://arxiv.org/abs/1704.04861)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> layer = kerascnn.layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2)
        >>> tuple(layer(keras.ops.zeros((1, 5, 5, 8))).shape), tuple(layer.kernel.shape)
        ((1, 5, 5, 16), (3, 3, 8, 2))
    """

    def __init__(
        self,
        kernel_size: Sizes,
        strides: Sizes = 1,
        padding: Padding = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: Sizes = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            kernel_size=kernel_size,
            strides=strides,
            padding=known_to_keras(padding),
            depth_multiplier=depth_multiplier,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            use_bias=use_bias,
            depthwise_initializer=depthwise_initializer,
            bias_initializer=bias_initializer,
            depthwise_regularizer=depthwise_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            depthwise_constraint=depthwise_constraint,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        self.padding = explicit(padding, self.padding)

    def call(self, inputs: Any) -> Any:
        outputs = ops.depthwise_conv2d(inputs, self.kernel, **self.options)
        return self.biased_and_activated(outputs)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        kernel_shape = (*self.kernel_size, self.channels(input_shape), self.depth_multiplier)
        return depthwise_conv2d_shape(input_shape, kernel_shape, **self.options)
