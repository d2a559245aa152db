"""The building block of networks since 2015: convolution, batch normalization, activation."""

from dataclasses import dataclass

from keras import layers as keras_layers

from kerascnn import layers
from kerascnn.models.ends import channel_axis


@dataclass(frozen=True)
class ConvNorm:
    """Convolution, batch normalization and ReLU, with what the blocks of a network have in common.

    Args:
        epsilon: float, batch normalization's.
        momentum: float, batch normalization's; the default is PyTorch's 0.1 in Keras's terms.
        use_bias: bool, whether convolutions have a bias, which the normalization takes away again.
        max_value: optional float, where the ReLU ends: 6 in the MobileNets.
        padding: `"symmetric"`, or `"same"` for TensorFlow's zeros, which with strides of 2 on an
            even size lie at the lower right only.
    """

    epsilon: float = 1e-5
    momentum: float = 0.9
    use_bias: bool = False
    max_value: float | None = None
    padding: str = "symmetric"

    def __call__(
        self,
        x,
        filters,
        kernel_size,
        strides=1,
        groups=1,
        dilation_rate=1,
        activate=True,
        name="{}",
    ):
        """Applies the block; `name` has a place for the kind of layer, as in `"stem_{}"`."""
        x = self.conv(x, filters, kernel_size, strides, groups, dilation_rate, name)
        return self.norm(x, activate, name=name)

    def conv(self, x, filters, kernel_size, strides=1, groups=1, dilation_rate=1, name="{}"):
        """The convolution alone."""
        common = {"use_bias": self.use_bias, "kernel_initializer": "he_normal"}
        name = name.format("conv")
        if kernel_size == 1:
            layer = layers.PointwiseConv2D(
                filters, strides=strides, groups=groups, name=name, **common
            )
        else:
            layer = layers.GroupConv2D(
                filters,
                kernel_size,
                strides=strides,
                padding=self._zeros(kernel_size, dilation_rate),
                dilation_rate=dilation_rate,
                groups=groups,
                name=name,
                **common,
            )
        return layer(x)

    def depthwise(self, x, kernel_size, strides=1, activate=True, name="{}"):
        """Depthwise convolution, normalization and activation."""
        conv = layers.DepthwiseConv2D(
            kernel_size,
            strides=strides,
            padding=self._zeros(kernel_size),
            use_bias=self.use_bias,
            depthwise_initializer="he_normal",
            name=name.format("conv"),
        )
        return self.norm(conv(x), activate, name=name)

    def norm(self, x, activate=True, name="{}"):
        """Normalization and activation."""
        x = layers.BatchNormalization(
            axis=channel_axis(),
            momentum=self.momentum,
            epsilon=self.epsilon,
            name=name.format("bn"),
        )(x)
        return self.relu(x, name) if activate else x

    def relu(self, x, name="{}"):
        """The activation alone."""
        return keras_layers.ReLU(self.max_value, name=name.format("relu"))(x)

    def _zeros(self, kernel_size, dilation_rate=1):
        return "same" if self.padding == "same" else kernel_size // 2 * dilation_rate
