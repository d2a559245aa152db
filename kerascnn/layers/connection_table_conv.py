"""Convolution with a connection table."""

from collections.abc import Sequence
from typing import Any

import keras

from kerascnn import ops
from kerascnn.arguments import pair
from kerascnn.geometry import Sizes, Window, product, sliding
from kerascnn.layers.image_spec import image_spec
from kerascnn.ops.connection_table_conv import (
    connection_table_conv2d_shape,
    connections_of,
    standardize_table,
)
from kerascnn.ops.padding import Padding, standardize_padding
from kerascnn.ops.shapes import image_shape, standardize_data_format


@keras.saving.register_keras_serializable(package="kerascnn")
class ConnectionTableConv2D(keras.layers.Layer):
    """Convolution in which each output channel sees only the input channels that a table lists.

    With `n(o, k)` the index of the connection of output `o` to `table[o][k]`, counted through all
    rows of the table, and strides `s`, on the padded `x`,

        y[h, w, o] = activation(bias[o] + sum over i, j, k of
            x[h * s + i, w * s + j, table[o][k]] * kernel[i, j, n(o, k)])

    In the LeNets of 1989 and 1998, this limited the number of connections and made different
    feature maps see different inputs. Only the kernels of connections are weights; they are
    scattered into an ordinary kernel with zeros elsewhere, which is used for the convolution.

    Args:
        table: for each filter, the indices of the input channels that it sees, as in
            `[[0, 1], [1, 2], [0, 1, 2]]`.
        kernel_size: int or pair of ints.
        strides: int or pair of ints.
        padding: `"valid"`, `"same"`, or zeros around the image: an int, a pair
            `(height, width)` or pairs `((top, bottom), (left, right))`.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.
        activation: activation function, or `None`.
        use_bias: bool.
        kernel_initializer: initializer of `kernel`. It creates a kernel of the shape
            `(height, width, longest, filters)`, where `longest` is the length of the longest row of
            the table, and filter `o` uses the first `len(table[o])` channels of it.
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
        `(batch, new_height, new_width, filters)`, or channels first, with one filter for each row
        of the table.

    Raises:
        ValueError: if the table is invalid or names channels that the input lacks, or the kernel
            does not fit into the input.

    Reference:
        [LeCun et al., 1998](http://yann.lecun.com/exdb/publis/pdf/lecun-01a.pdf), table I

    Example:
        >>> import keras
        >>> import kerascnn
        >>> layer = kerascnn.layers.ConnectionTableConv2D([[0, 1], [1, 2], [0, 1, 2]], 5)
        >>> tuple(layer(keras.ops.zeros((1, 14, 14, 3))).shape), tuple(layer.kernel.shape)
        ((1, 10, 10, 3), (5, 5, 7))
    """

    def __init__(
        self,
        table: Sequence[Sequence[int]],
        kernel_size: Sizes,
        strides: Sizes = 1,
        padding: Padding = "valid",
        data_format: str | None = None,
        activation: Any = None,
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
        self.table = standardize_table(table)
        self.kernel_size = pair(kernel_size, "kernel_size")
        self.strides = pair(strides, "strides")
        self.padding = standardize_padding(padding)
        self.data_format = standardize_data_format(data_format)
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer: Any = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)

    @property
    def _kernel_shape(self):
        return *self.kernel_size, connections_of(self.table)

    def build(self, input_shape: Any) -> None:
        self.compute_output_shape(input_shape)
        self.input_spec = image_spec(input_shape, self.data_format)
        self.kernel = self.add_weight(
            name="kernel",
            shape=self._kernel_shape,
            initializer=self._drawn,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(len(self.table),),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def _drawn(self, shape, dtype=None):
        # Initialized as an ordinary kernel, so that initializers see the fan-in of a filter.
        longest, filters = max(map(len, self.table)), len(self.table)
        kernel = self.kernel_initializer((*self.kernel_size, longest, filters), dtype=dtype)
        kernel = keras.ops.reshape(kernel, (*self.kernel_size, longest * filters))
        taken = [k * filters + o for o, row in enumerate(self.table) for k in range(len(row))]
        return keras.ops.take(kernel, taken, axis=2)

    @property
    def _options(self):
        return {
            "table": self.table,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
        }

    def call(self, inputs: Any) -> Any:
        outputs = ops.connection_table_conv2d(inputs, self.kernel, self.bias, **self._options)
        return self.activation(outputs)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return connection_table_conv2d_shape(input_shape, self._kernel_shape, None, **self._options)

    def compute_window(self) -> Window | None:
        return sliding(self.kernel_size, self.strides)

    def compute_multiply_adds(self, input_shape: Any, output_shape: Any) -> int | None:
        _, height, width, _ = image_shape(output_shape, self.data_format)
        return product(height, width, *self._kernel_shape)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "kernel_size": self.kernel_size,
            **self._options,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": keras.constraints.serialize(self.kernel_constraint),
            "bias_constraint": keras.constraints.serialize(self.bias_constraint),
        }
