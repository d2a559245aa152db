"""Separable convolution."""

from typing import Any

import keras

from kerascnn import ops
from kerascnn.geometry import Sizes
from kerascnn.layers.keras_conv import KerasConv, explicit, known_to_keras
from kerascnn.ops.padding import Padding
from kerascnn.ops.separable_conv import separable_conv2d_shape


@keras.saving.register_keras_serializable(package="kerascnn")
class SeparableConv2D(KerasConv, keras.layers.SeparableConv2D):
    """Filters every channel spatially, then mixes the channels of every pixel.

    Drop-in replacement for `keras.layers.SeparableConv2D`: a depthwise convolution with
    `M = depth_multiplier` filters per channel, followed by a pointwise convolution,

        y[h, w, o] = bias[o] + sum over c, m of z[h, w, c * M + m] * pointwise_kernel[c * M + m, o]
        z[h, w, c * M + m] = sum over i, j of
            x[h * s + i * d, w * s + j * d, c] * depthwise_kernel[i, j, c, m]

    Args:
        filters: int, the number of output channels.
        kernel_size: int or pair of ints.
        strides: int or pair of ints.
        padding: `"valid"`, `"same"`, or zeros around the image: an int, a pair
            `(height, width)` or pairs `((top, bottom), (left, right))`.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.
        dilation_rate: int or pair of ints.
        depth_multiplier: int, the number of filters per channel.
        activation: activation function, or `None`.
        use_bias: bool.
        depthwise_initializer: initializer of `depthwise_kernel`.
        pointwise_initializer: initializer of `pointwise_kernel`.
        bias_initializer: initializer of `bias`.
        depthwise_regularizer: optional regularizer of `depthwise_kernel`.
        pointwise_regularizer: optional regularizer of `pointwise_kernel`.
        bias_regularizer: optional regularizer of `bias`.
        activity_regularizer: optional regularizer of the output.
        depthwise_constraint: optional constraint on `depthwise_kernel`.
        pointwise_constraint: optional constraint on `pointwise_kernel`.
        bias_constraint: optional constraint on `bias`.
        **kwargs: `name`, `dtype` and so on.

    Call arguments:
        inputs: float tensor of rank 4.

    Input shape:
        `(batch, height, width, channels)`, or channels first.

    Output shape:
        `(batch, new_height, new_width, filters)`, or channels first.

    Raises:
        ValueError: if the kernel does not fit into the input, or an argument is invalid.

    Reference:
        [Chollet, 2017](https://arxiv.org/abs/1610.02357)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> layer = kerascnn.layers.SeparableConv2D(12, 3, padding="same")
        >>> tuple(layer(keras.ops.zeros((1, 5, 5, 8))).shape)
        (1, 5, 5, 12)
        >>> layer.count_params() == 3 * 3 * 8 + 8 * 12 + 12
        True
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Sizes,
        strides: Sizes = 1,
        padding: Padding = "valid",
        data_format: str | None = None,
        dilation_rate: Sizes = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            filters=filters,
            kernel_size=kernel_size,
            strides=strides,
            padding=known_to_keras(padding),
            data_format=data_format,
            dilation_rate=dilation_rate,
            depth_multiplier=depth_multiplier,
            activation=activation,
            use_bias=use_bias,
            depthwise_initializer=depthwise_initializer,
            pointwise_initializer=pointwise_initializer,
            bias_initializer=bias_initializer,
            depthwise_regularizer=depthwise_regularizer,
            pointwise_regularizer=pointwise_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            depthwise_constraint=depthwise_constraint,
            pointwise_constraint=pointwise_constraint,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        self.padding = explicit(padding, self.padding)

    def call(self, inputs: Any) -> Any:
        outputs = ops.separable_conv2d(
            inputs, self.depthwise_kernel, self.pointwise_kernel, **self.options
        )
        return self.biased_and_activated(outputs)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        channels = self.channels(input_shape)
        return separable_conv2d_shape(
            input_shape,
            (*self.kernel_size, channels, self.depth_multiplier),
            (1, 1, channels * self.depth_multiplier, self.filters),
            **self.options,
        )
