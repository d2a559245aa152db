"""Convolution by a table of connections."""

import keras

from kerascnn import ops
from kerascnn.arguments import pair
from kerascnn.geometry import product, sliding
from kerascnn.ops.connection_table_conv import (
    connection_table_conv2d_shape,
    connections_of,
    standardize_table,
)
from kerascnn.ops.padding import standardize_padding
from kerascnn.ops.shapes import image_shape, standardize_data_format


@keras.saving.register_keras_serializable(package="kerascnn")
class ConnectionTableConv2D(keras.layers.Layer):
    """Convolution in which each output channel sees only the input channels that a table lists.

    With `n(o, k)` the number of the connection of output `o` to `table[o][k]`, counted through all
    rows of the table, and strides `s`, on the padded `x`,

        y[h, w, o] = activation(bias[o] + sum over i, j, k of
            x[h * s + i, w * s + j, table[o][k]] * kernel[i, j, n(o, k)])

    This is how the LeNets of 1989 and 1998 kept the number of connections within bounds and made
    different feature maps look at different inputs. Only the kernels of connections are weights;
    they are spread into an ordinary kernel with zeros between them, which does the convolution.

    Args:
        table: for each filter, the input channels that it sees, counted from 0, as in
            `[[0, 1], [1, 2], [0, 1, 2]]`.
        kernel_size: int or pair of ints.
        strides: int or pair of ints.
        padding: `"valid"`, `"same"`, or zeros around the image: an int, a pair
            `(height, width)` or pairs `((top, bottom), (left, right))`.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.
        activation: activation function, or `None`.
        use_bias: bool.
        kernel_initializer: initializer of `kernel`. It draws a kernel of the shape
            `(height, width, longest, filters)`, where `longest` is the length of the longest row
            of the table, and filter `o` takes the first `len(table[o])` channels of that.
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
        ValueError: if the table is none or names channels that the input has not, or the kernel
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
        table,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.table = standardize_table(table)
        self.kernel_size = pair(kernel_size, "kernel_size")
        self.strides = pair(strides, "strides")
        self.padding = standardize_padding(padding)
        self.data_format = standardize_data_format(data_format)
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)

    @property
    def _kernel_shape(self):
        return *self.kernel_size, connections_of(self.table)

    def build(self, input_shape):
        self.compute_output_shape(input_shape)
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
        # Drawn as an ordinary kernel, so that initializers see how many inputs a filter has.
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

    def call(self, inputs):
        outputs = ops.connection_table_conv2d(inputs, self.kernel, self.bias, **self._options)
        return self.activation(outputs)

    def compute_output_shape(self, input_shape):
        return connection_table_conv2d_shape(input_shape, self._kernel_shape, None, **self._options)

    def compute_window(self):
        return sliding(self.kernel_size, self.strides)

    def compute_multiply_adds(self, input_shape, output_shape):
        _, height, width, _ = image_shape(output_shape, self.data_format)
        return product(height, width, *self._kernel_shape)

    def get_config(self):
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
