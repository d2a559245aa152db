"""Transposed convolution, also in groups."""

from typing import Any

import keras

from kerascnn import ops
from kerascnn.arguments import at_least_one
from kerascnn.geometry import Sizes
from kerascnn.layers.image_spec import image_spec
from kerascnn.layers.keras_conv import KerasConv, explicit, known_to_keras
from kerascnn.ops.conv_transpose import conv_transpose2d_shape
from kerascnn.ops.padding import Padding


@keras.saving.register_keras_serializable(package="kerascnn")
class Conv2DTranspose(KerasConv, keras.layers.Conv2DTranspose):
    """Transposed convolution: upsamples images with a trainable kernel.

    Drop-in replacement for `keras.layers.Conv2DTranspose`, with groups. It is the adjoint of
    convolution: with strides `s` and dilation rate `d`, and `before` from the table in
    `kerascnn.ops.conv_transpose2d`,

        y[h * s + i * d - before, w * s + j * d - before, o] += x[h, w, c] * kernel[i, j, o, c]

    for all `h, w, i, j, c`; then the bias is added. With "same" padding, the output is `s` times as
    large as the input.

    Args:
        filters: int, the number of output channels, a multiple of `groups`.
        kernel_size: int or pair of ints.
        strides: int or pair of ints.
        padding: `"valid"`, `"same"`, or the number of pixels to crop from the output, as in
            PyTorch: an int, a pair `(height, width)` or pairs `((top, bottom), (left, right))`.
        output_padding: optional int or pair of ints, less than the strides.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.
        dilation_rate: int or pair of ints; above 1 only with strides of 1.
        activation: activation function, or `None`.
        use_bias: bool.
        kernel_initializer: initializer of `kernel`, whose shape is
            `(height, width, filters / groups, channels)`.
        bias_initializer: initializer of `bias`.
        kernel_regularizer: optional regularizer of `kernel`.
        bias_regularizer: optional regularizer of `bias`.
        activity_regularizer: optional regularizer of the output.
        kernel_constraint: optional constraint on `kernel`.
        bias_constraint: optional constraint on `bias`.
        groups: int, a divisor of the input channels and of `filters`.
        **kwargs: `name`, `dtype` and so on.

    Call arguments:
        inputs: float tensor of rank 4.
        training: bool; in training, groups use a faster form, whose graph only TensorFlow can run.

    Input shape:
        `(batch, height, width, channels)`, or channels first.

    Output shape:
        `(batch, new_height, new_width, filters)`, or channels first.

    Raises:
        ValueError: if `groups` does not divide both the input channels and `filters`, or an
            argument is invalid.

    Reference:
        [Dumoulin and Visin, 2016](https://arxiv.org/abs/1603.07285)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> layer = kerascnn.layers.Conv2DTranspose(12, 3, strides=2, padding="same", groups=4)
        >>> tuple(layer(keras.ops.zeros((1, 5, 5, 8))).shape), tuple(layer.kernel.shape)
        ((1, 10, 10, 12), (3, 3, 3, 8))
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Sizes,
        strides: Sizes = 1,
        padding: Padding = "valid",
        output_padding: Sizes | None = None,
        data_format: str | None = None,
        dilation_rate: Sizes = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        groups: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            filters=filters,
            kernel_size=kernel_size,
            strides=strides,
            padding=known_to_keras(padding),
            output_padding=output_padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
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
        self.groups = groups
        if filters % at_least_one(groups, "groups"):
            raise ValueError(
                f"`groups` must divide `filters`; got groups={groups} with filters={filters}."
            )

    def build(self, input_shape: Any) -> None:
        # Keras's `build` does not support groups; names, shapes and order are the same.
        self.compute_output_shape(input_shape)
        channels = self.channels(input_shape)
        self.input_spec = image_spec(input_shape, self.data_format)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*self.kernel_size, self.filters // self.groups, channels),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.filters,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def call(self, inputs: Any, training: bool = False) -> Any:
        outputs = ops.conv_transpose2d(
            inputs,
            self.kernel,
            output_padding=self.output_padding,
            groups=self.groups,
            portable=not training,
            **self.options,
        )
        return self.biased_and_activated(outputs)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        kernel_shape = (
            *self.kernel_size,
            self.filters // self.groups,
            self.channels(input_shape),
        )
        return conv_transpose2d_shape(
            input_shape,
            kernel_shape,
            output_padding=self.output_padding,
            groups=self.groups,
            **self.options,
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "groups": self.groups}
