"""Sub-pixel convolution: trainable upsampling, computed at low resolution."""

from typing import Any

import keras

from kerascnn import ops
from kerascnn.arguments import at_least_one, one_of, pair
from kerascnn.geometry import Sizes, Window, product, sliding
from kerascnn.initializers import ICNR
from kerascnn.layers.image_spec import image_spec
from kerascnn.ops.padding import Padding, standardize_padding
from kerascnn.ops.pixel_shuffle import MODES, pixel_shuffle_window
from kerascnn.ops.shapes import known_channels, standardize_data_format
from kerascnn.ops.subpixel_conv import subpixel_conv2d_shape


@keras.saving.register_keras_serializable(package="kerascnn")
class SubpixelConv2D(keras.layers.Layer):
    """Convolves to `filters * r * s` channels, and rearranges them into blocks of `r x s` pixels.

    `y = PixelShuffle(block_size, mode)(conv(x) + bias)`, followed by the activation. All arithmetic
    is done at low resolution; unlike in a transposed convolution, every output pixel is a sum of
    the same number of products. By default, the kernel is initialized to nearest-neighbor
    upsampling, without a checkerboard pattern.

    Args:
        filters: int, the number of channels of the output, a multiple of `groups`.
        kernel_size: int or pair of ints.
        block_size: int, or pair of ints `(r, s)`, the upsampling factors of height and width.
        padding: `"valid"`, `"same"`, or zeros around the image: an int, a pair
            `(height, width)` or pairs `((top, bottom), (left, right))`.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.
        dilation_rate: int or pair of ints.
        groups: int, a divisor of the input channels and of `filters`; above 1 only in mode `"CRD"`,
            where all pixels of a block see the same group.
        mode: `"DCR"` or `"CRD"`, as in `PixelShuffle`.
        activation: activation function, or `None`.
        use_bias: bool; there is one bias for each of the `filters * r * s` channels.
        kernel_initializer: initializer of `kernel`; by default `ICNR` on `"glorot_uniform"`.
        bias_initializer: initializer of `bias`.
        kernel_regularizer: optional regularizer of `kernel`.
        bias_regularizer: optional regularizer of `bias`.
        kernel_constraint: optional constraint on `kernel`.
        bias_constraint: optional constraint on `bias`.
        **kwargs: `name`, `dtype`, `activity_regularizer` and so on.

    Call arguments:
        inputs: float tensor of rank 4.

    Input shape:
        `(batch, height, width, channels)`, or channels first.

    Output shape:
        `(batch, height * r, width * s, filters)`, or channels first.

    Raises:
        ValueError: if `groups` does not divide both the input channels and `filters`, or the kernel
            does not fit into the input.

    Reference:
        [Shi et al., 2016](https://arxiv.org/abs/1609.05158); initialization: [Aitken et al.,
        2017](https://arxiv.org/abs/1707.02937)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> layer = kerascnn.layers.SubpixelConv2D(3, kernel_size=3, block_size=2)
        >>> tuple(layer(keras.ops.zeros((1, 5, 5, 8))).shape), tuple(layer.kernel.shape)
        ((1, 10, 10, 3), (3, 3, 8, 12))
    """

    def __init__(
        self,
        filters: int,
        kernel_size: Sizes,
        block_size: Sizes = 2,
        padding: Padding = "same",
        data_format: str | None = None,
        dilation_rate: Sizes = 1,
        groups: int = 1,
        mode: str = "DCR",
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = None,
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = pair(kernel_size, "kernel_size")
        self.block_size = pair(block_size, "block_size")
        self.padding = standardize_padding(padding)
        self.data_format = standardize_data_format(data_format)
        self.dilation_rate = pair(dilation_rate, "dilation_rate")
        self.groups = groups
        at_least_one(filters, "filters")
        if at_least_one(groups, "groups") > 1 and mode == "DCR":
            raise ValueError(
                "`mode` must be 'CRD' with groups, because the pixels of a block must see the same "
                f"group; got mode='DCR' with groups={groups}."
            )
        if filters % groups:
            raise ValueError(
                f"`groups` must divide `filters`; got groups={groups} with filters={filters}."
            )
        self.mode = one_of(mode, MODES, "mode")
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        if kernel_initializer is None:
            kernel_initializer = ICNR(block_size, mode=mode)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)

    @property
    def _convolved(self):
        return self.filters * self.block_size[0] * self.block_size[1]

    def build(self, input_shape: Any) -> None:
        self.compute_output_shape(input_shape)
        self.input_spec = image_spec(input_shape, self.data_format)
        self.kernel = self.add_weight(
            name="kernel",
            shape=self._kernel_shape(input_shape),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self._convolved,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def _kernel_shape(self, input_shape):
        channels = known_channels(input_shape, self.data_format)
        if channels % self.groups:
            raise ValueError(
                "`groups` must divide the number of input channels; "
                f"got groups={self.groups} with {channels} channels "
                f"(input shape {tuple(input_shape)})."
            )
        return (*self.kernel_size, channels // self.groups, self._convolved)

    @property
    def _options(self):
        return {
            "block_size": self.block_size,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
            "mode": self.mode,
        }

    def call(self, inputs: Any) -> Any:
        outputs = ops.subpixel_conv2d(inputs, self.kernel, self.bias, **self._options)
        return self.activation(outputs)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        kernel_shape = self._kernel_shape(input_shape)
        return subpixel_conv2d_shape(input_shape, kernel_shape, None, **self._options)

    def compute_window(self) -> Window | None:
        convolution = sliding(self.kernel_size, dilation_rate=self.dilation_rate)
        return convolution.then(pixel_shuffle_window(self.block_size))

    def compute_multiply_adds(self, input_shape: Any, output_shape: Any) -> int | None:
        kernel_shape = self._kernel_shape(input_shape)
        return product(*output_shape[1:], *kernel_shape[:-1])

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            **self._options,
            "groups": self.groups,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": keras.constraints.serialize(self.kernel_constraint),
            "bias_constraint": keras.constraints.serialize(self.bias_constraint),
        }
