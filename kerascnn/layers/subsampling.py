"""Trainable subsampling."""

from typing import Any

import keras

from kerascnn import ops
from kerascnn.arguments import one_of, pair
from kerascnn.geometry import Sizes, Window, WithoutProducts, sliding
from kerascnn.ops.shapes import image_shape, standardize_data_format
from kerascnn.ops.subsampling import subsampling2d_shape


@keras.saving.register_keras_serializable(package="kerascnn")
class Subsampling2D(WithoutProducts, keras.layers.Layer):
    """Average pooling with a trainable scale and shift for every channel.

    With strides `s`, on the padded `x`,

        y[h, w, c] = activation(
            kernel[c] * (sum over i, j of x[h * s + i, w * s + j, c]) + bias[c]
        )

    LeNet-5 (1998) reduces the resolution in this way. It starts as average pooling: by default
    `kernel` is one over the number of pixels in a window.

    Args:
        pool_size: int or pair of ints, the window.
        strides: int or pair of ints; by default `pool_size`.
        padding: `"valid"`, or `"same"`, which adds zeros as Keras's convolutions do.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.
        activation: activation function, or `None`; `kerascnn.ops.scaled_tanh` in LeNet-5 (1998).
        kernel_initializer: initializer of `kernel`; by default the constant above.
        bias_initializer: initializer of `bias`.
        kernel_regularizer: optional regularizer of `kernel`.
        bias_regularizer: optional regularizer of `bias`.
        kernel_constraint: optional constraint on `kernel`.
        bias_constraint: optional constraint on `bias`.
        **kwargs: `name`, `dtype` and so on.

    Call arguments:
        inputs: float tensor of rank 4.

    Input shape:
        `(batch, height, width, channels)`, or channels first.

    Output shape:
        `(batch, new_height, new_width, channels)`, or channels first.

    Raises:
        ValueError: if the window does not fit into the input, or an argument is invalid.

    Reference:
        [LeCun et al., 1998](http://yann.lecun.com/exdb/publis/pdf/lecun-01a.pdf), section II.B

    Example:
        >>> import keras
        >>> import kerascnn
        >>> layer = kerascnn.layers.Subsampling2D(activation=kerascnn.ops.scaled_tanh)
        >>> tuple(layer(keras.ops.ones((1, 28, 28, 6))).shape), layer.count_params()
        ((1, 14, 14, 6), 12)
    """

    def __init__(
        self,
        pool_size: Sizes = 2,
        strides: Sizes | None = None,
        padding: str = "valid",
        data_format: str | None = None,
        activation: Any = None,
        kernel_initializer: Any = None,
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.pool_size = pair(pool_size, "pool_size")
        self.strides = self.pool_size if strides is None else pair(strides, "strides")
        self.padding = one_of(padding, ("valid", "same"), "padding")
        self.activation = keras.activations.get(activation)
        self.data_format = standardize_data_format(data_format)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)

    def build(self, input_shape: Any) -> None:
        self.compute_output_shape(input_shape)
        channels = image_shape(input_shape, self.data_format)[3]
        rows, columns = self.pool_size
        average = keras.initializers.Constant(1 / (rows * columns))
        self.kernel = self.add_weight(
            name="kernel",
            shape=(channels,),
            initializer=self.kernel_initializer or average,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = self.add_weight(
            name="bias",
            shape=(channels,),
            initializer=self.bias_initializer,
            regularizer=self.bias_regularizer,
            constraint=self.bias_constraint,
        )

    @property
    def _options(self):
        return {
            "pool_size": self.pool_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
        }

    def call(self, inputs: Any) -> Any:
        return self.activation(ops.subsampling2d(inputs, self.kernel, self.bias, **self._options))

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        channels = image_shape(input_shape, self.data_format)[3]
        return subsampling2d_shape(input_shape, (channels,), (channels,), **self._options)

    def compute_window(self) -> Window | None:
        return sliding(self.pool_size, self.strides)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            **self._options,
            "activation": keras.activations.serialize(self.activation),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": keras.constraints.serialize(self.kernel_constraint),
            "bias_constraint": keras.constraints.serialize(self.bias_constraint),
        }
