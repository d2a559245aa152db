"""Pointwise convolution."""

import keras

from kerascnn import ops
from kerascnn.layers.group_conv import GroupConv2D


@keras.saving.register_keras_serializable(package="kerascnn")
class PointwiseConv2D(GroupConv2D):
    """Mixes the channels of every pixel: `keras.layers.Conv2D` with a kernel of 1 x 1.

    `y[h, w, o] = bias[o] + sum over c of x[h * s, w * s, c] * kernel[0, 0, c, o]` with strides `s`.

    Arguments, weights and numbers are those of `keras.layers.Conv2D`; only that `kernel_size` need
    not be given.

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
        ValueError: if `kernel_size` is not 1, or `groups` divides not both the input channels and
            `filters`.

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
        filters,
        kernel_size=1,
        strides=1,
        padding="valid",
        data_format=None,
        dilation_rate=1,
        groups=1,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
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

    def convolution_op(self, inputs, kernel):
        # With one pixel in the kernel there is nothing to dilate.
        return ops.pointwise_conv2d(inputs, kernel, self.strides, self.padding, self.data_format)
