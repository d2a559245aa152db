"""Blocks of convolution, batch normalization and activation."""

from dataclasses import dataclass

from keras import layers as keras_layers

from kerascnn import layers
from kerascnn.models.inputs import channel_axis


@dataclass(frozen=True)
class ConvNorm:
    """Convolution, batch normalization and ReLU, with settings that a model's blocks share.

    Args:
        epsilon: float, epsilon of batch normalization.
        momentum: float, momentum of batch normalization; the default is PyTorch's 0.1.
        use_bias: bool, whether convolutions have a bias, which the normalization cancels.
        max_value: optional float, the maximum of the ReLU: 6 in MobileNets.
        padding: `"symmetric"`, or `"same"` for TensorFlow's padding, which adds zeros only at the
            bottom and right for strides of 2 and even sizes.
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
        """Applies the block; `name` has a placeholder for the kind of layer, as in `"stem_{}"`."""
        x = self.conv(x, filters, kernel_size, strides, groups, dilation_rate, name)
        return self.norm(x, activate, name=name)

    def conv(self, x, filters, kernel_size, strides=1, groups=1, dilation_rate=1, name="{}"):
        """Applies only the convolution."""
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
        """Applies depthwise convolution, normalization and activation."""
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
        """Applies normalization and activation."""
        x = layers.BatchNormalization(
            axis=channel_axis(),
            momentum=self.momentum,
            epsilon=self.epsilon,
            name=name.format("bn"),
        )(x)
        return self.relu(x, name) if activate else x

    def relu(self, x, name="{}"):
        """Applies only the activation."""
        return keras_layers.ReLU(self.max_value, name=name.format("relu"))(x)

    def _zeros(self, kernel_size, dilation_rate=1):
        return "same" if self.padding == "same" else kernel_size // 2 * dilation_rate
