"""Squeeze and excitation."""

from typing import Any

import keras

from kerascnn import ops
from kerascnn.arguments import at_least_one
from kerascnn.geometry import WHOLE_IMAGE, Window
from kerascnn.layers.fresh_initializer import fresh
from kerascnn.ops.shapes import image_shape, standardize_data_format
from kerascnn.ops.squeeze_excite import squeeze_excite_shape


@keras.saving.register_keras_serializable(package="kerascnn")
class SqueezeExcite(keras.layers.Layer):
    """Scales every channel by a gate that is computed from the means of all channels.

        mean[c]    = 1 / (H * W) * sum over h, w of x[h, w, c]
        hidden     = activation(mean @ squeeze_kernel + squeeze_bias)
        gate       = gate_activation(hidden @ excite_kernel + excite_bias)
        y[h, w, c] = gate[c] * x[h, w, c]

    with `max(1, channels // reduction)` hidden units.

    Args:
        reduction: int, number of channels divided by the number of hidden units.
        activation: activation function of the hidden units, or `None`.
        gate_activation: activation function of the gate, or `None`.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.
        use_bias: bool.
        kernel_initializer: initializer of `squeeze_kernel` and `excite_kernel`.
        bias_initializer: initializer of `squeeze_bias` and `excite_bias`.
        kernel_regularizer: optional regularizer of the kernels.
        bias_regularizer: optional regularizer of the biases.
        kernel_constraint: optional constraint on the kernels.
        bias_constraint: optional constraint on the biases.
        **kwargs: `name`, `dtype` and so on.

    Call arguments:
        inputs: float tensor of rank 4.

    Input shape:
        `(batch, height, width, channels)`, or channels first.

    Output shape:
        the same as the input shape.

    Raises:
        ValueError: if `reduction` is not an int of at least 1, or the number of channels is
            unknown.

    Reference:
        [Hu et al., 2018](https://arxiv.org/abs/1709.01507)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> layer = kerascnn.layers.SqueezeExcite(reduction=4)
        >>> tuple(layer(keras.ops.ones((1, 5, 5, 32))).shape), layer.count_params()
        ((1, 5, 5, 32), 552)
    """

    def __init__(
        self,
        reduction: int = 16,
        activation: Any = "relu",
        gate_activation: Any = "sigmoid",
        data_format: str | None = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.reduction = at_least_one(reduction, "reduction")
        self.activation = keras.activations.get(activation)
        self.gate_activation = keras.activations.get(gate_activation)
        self.data_format = standardize_data_format(data_format)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        self.squeeze_bias = None
        self.excite_bias = None

    def build(self, input_shape: Any) -> None:
        self.compute_output_shape(input_shape)
        channels, hidden = self._widths(input_shape)
        self.squeeze_kernel = self._add_kernel("squeeze_kernel", (channels, hidden))
        if self.use_bias:
            self.squeeze_bias = self._add_bias("squeeze_bias", hidden)
        self.excite_kernel = self._add_kernel("excite_kernel", (hidden, channels))
        if self.use_bias:
            self.excite_bias = self._add_bias("excite_bias", channels)

    def _widths(self, input_shape):
        channels = image_shape(input_shape, self.data_format)[3]
        return channels, max(1, (channels or 1) // self.reduction)

    def _add_kernel(self, name, shape):
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=fresh(self.kernel_initializer),
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )

    def _add_bias(self, name, units):
        return self.add_weight(
            name=name,
            shape=(units,),
            initializer=fresh(self.bias_initializer),
            regularizer=self.bias_regularizer,
            constraint=self.bias_constraint,
        )

    def call(self, inputs: Any) -> Any:
        return ops.squeeze_excite(
            inputs,
            self.squeeze_kernel,
            self.squeeze_bias,
            self.excite_kernel,
            self.excite_bias,
            activation=self.activation,
            gate_activation=self.gate_activation,
            data_format=self.data_format,
        )

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        channels, hidden = self._widths(input_shape)
        return squeeze_excite_shape(
            input_shape,
            (channels, hidden),
            (hidden,),
            (hidden, channels),
            (channels,),
            data_format=self.data_format,
        )

    def compute_window(self) -> Window | None:
        return WHOLE_IMAGE  # through the gate

    def compute_multiply_adds(self, input_shape: Any, output_shape: Any) -> int | None:
        channels, hidden = self._widths(input_shape)
        return 2 * channels * hidden

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "reduction": self.reduction,
            "activation": keras.activations.serialize(self.activation),
            "gate_activation": keras.activations.serialize(self.gate_activation),
            "data_format": self.data_format,
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": keras.constraints.serialize(self.kernel_constraint),
            "bias_constraint": keras.constraints.serialize(self.bias_constraint),
        }
