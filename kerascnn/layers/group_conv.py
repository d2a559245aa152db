"""Group convolution that is fast in training and leaves a graph that exports."""

import keras

from kerascnn import ops


@keras.saving.register_keras_serializable(package="kerascnn")
class GroupConv2D(keras.layers.Conv2D):
    """Convolution in groups: drop-in for `keras.layers.Conv2D` with `groups`.

    With `G` groups of `I` input and `O` output channels each, `g = o // O`, strides `s` and
    dilation rate `d`,

        y[h, w, o] = bias[o]
            + sum over i, j, c of x[h * s + i * d, w * s + j * d, g * I + c] * kernel[i, j, c, o]

    Arguments, weights (names, shapes, order) and numbers are those of `keras.layers.Conv2D`; only
    the way to compute them differs on TensorFlow.

    Args:
        filters: int, the number of output channels, a multiple of `groups`.
        kernel_size: int or pair of ints.
        strides: int or pair of ints.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.
        dilation_rate: int or pair of ints; above 1 only where the strides are 1.
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
        ValueError: if `groups` divides not both the input channels and `filters`, or the kernel
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

    def convolution_op(self, inputs, kernel):
        return ops.group_conv2d(
            inputs,
            kernel,
            strides=self.strides,
            padding=self.padding,
            data_format=self.data_format,
            dilation_rate=self.dilation_rate,
        )
