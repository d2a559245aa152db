"""Pointwise convolution."""

from typing import Any

import keras

from kerascnn import ops
from kerascnn.geometry import Sizes
from kerascnn.layers.group_conv import GroupConv2D
from kerascnn.ops.padding import Padding


@keras.saving.register_keras_serializable(package="kerascnn")
class PointwiseConv2D(GroupConv2D):
    """Mixes the channels of every pixel: `keras.layers.Conv2D` with a 1x1 kernel.

    `y[h, w, o] = bias[o] + sum over c of x[h * s, w * s, c] * kernel[0, 0, c, o]` with strides `s`.

    Arguments, weights and results are the same as in `keras.layers.Conv2D`, except that
    `kernel_size` is optional.

    Args:
        filters: int, the number of output channels, a multiple of `groups`.
        kernel_size: 1.
        **kwargs: the other arguments of `GroupConv2D`: `strides`, `padding`, `data_format`,
            `groups`, `activation`, `use_bias` and so on.

    Call arguments:
        inputs: float tensor of rank 4.

    Input shape:
        `(batch, height, width, channels)`, or channels first.

    Output shape:
        `(batch, new_height, new_width, filters)`, or channels first.

    Raises:
        ValueError: if `kernel_size` is not 1, or `groups` does not divide both the input channels
            and `filters`.

    Reference:
        [Lin et al., 2014](https://arxiv.org/abs/1312.4400)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> layer = kerascnn.layers.PointwiseConv2D(12)
        >>> tuple(layer(keras.ops.zeros((1, 5, 5, 8))).shape), tuple(layer.kernel.shape)
        ((1, 5, 5, 12), (1, 1, 8, 12))
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Sizes = 1,
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
            padding=padding,
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
        if self.kernel_size != (1, 1):
            raise ValueError(
                "`kernel_size` of a pointwise convolution must be 1; "
                f"got kernel_size={kernel_size!r}."
            )

    def convolution_op(self, inputs: Any, kernel: Any) -> Any:
        # A kernel of one pixel is not affected by dilation.
        return ops.pointwise_conv2d(inputs, kernel, self.strides, self.padding, self.data_format)
