"""Group convolution that is fast in training and can be exported."""

from typing import Any

import keras

from kerascnn import ops
from kerascnn.geometry import Sizes
from kerascnn.layers.keras_conv import KerasConv, explicit, known_to_keras
from kerascnn.ops.group_conv import group_conv2d_shape
from kerascnn.ops.padding import Padding


@keras.saving.register_keras_serializable(package="kerascnn")
class GroupConv2D(KerasConv, keras.layers.Conv2D):
    """Convolution in groups: drop-in replacement for `keras.layers.Conv2D` with `groups`.

    With `G` groups of `I` input and `O` output channels each, `g = o // O`, strides `s` and
    dilation rate `d`, on the padded `x`,

        y[h, w, o] = bias[o]
            + sum over i, j, c of x[h * s + i * d, w * s + j * d, g * I + c] * kernel[i, j, c, o]

    Arguments, weights (names, shapes, order) and results are the same as in `keras.layers.Conv2D`;
    only the computation on TensorFlow differs.

    Args:
        filters: int, the number of output channels, a multiple of `groups`.
        kernel_size: int or pair of ints.
        strides: int or pair of ints.
        padding: `"valid"`, `"same"`, or zeros around the image: an int, a pair
            `(height, width)` or pairs `((top, bottom), (left, right))`.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.
        dilation_rate: int or pair of ints; above 1 only with strides of 1.
        groups: int, a divisor of the input channels and of `filters`.
        activation: activation function, or `None`.
        use_bias: bool.
        **kwargs: initializers, regularizers, constraints, `name`, `dtype`, ..., as in
            `keras.layers.Conv2D`.

    Call arguments:
        inputs: float tensor of rank 4.

    Input shape:
        `(batch, height, width, channels)`, or channels first.

    Output shape:
        `(batch, new_height, new_width, filters)`, or channels first.

    Raises:
        ValueError: if `groups` does not divide both the input channels and `filters`, or the kernel
            does not fit into the input.

    Reference:
        [Krizhevsky et al., 2012](https://papers.nips.cc/paper/4824), [Xie et al.,
        2017](https://arxiv.org/abs/1611.05431)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> layer = kerascnn.layers.GroupConv2D(12, 3, groups=4, padding="same")
        >>> tuple(layer(keras.ops.zeros((1, 5, 5, 8))).shape), tuple(layer.kernel.shape)
        ((1, 5, 5, 12), (3, 3, 2, 12))
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Sizes,
        strides: Sizes = 1,
        padding: Padding = "valid",
        data_format: str | None = None,
        dilation_rate: Sizes = 1,
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
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
            groups=groups,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            **kwargs,
        )
        self.padding = explicit(padding, self.padding)

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        return ops.group_conv2d(inputs, kernel, **self.options)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        channels = self.channels(input_shape)
        if channels % self.groups:
            raise ValueError(
                "`groups` must divide the number of input channels; "
                f"got groups={self.groups} with {channels} channels "
                f"(input shape {tuple(input_shape)})."
            )
        kernel_shape = (*self.kernel_size, channels // self.groups, self.filters)
        return group_conv2d_shape(input_shape, kernel_shape, **self.options)
