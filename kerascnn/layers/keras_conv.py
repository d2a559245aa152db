"""What kerascnn's convolutions share beside the layers of Keras that they stand on."""

from kerascnn.ops.add_bias import add_bias
from kerascnn.ops.padding import standardize_padding
from kerascnn.ops.shapes import known_channels


class KerasConv:
    """Goes before one of Keras's convolution layers among the bases of a class."""

    @property
    def options(self):
        """The arguments that every convolution op takes."""
        return {
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
        }

    def channels(self, shape):
        """The number of channels in a shape, which must be known."""
        return known_channels(shape, self.data_format)

    def call(self, inputs):
        return self.biased_and_activated(self.convolution_op(inputs, self.kernel))

    def biased_and_activated(self, outputs):
        """Adds the bias to what was convolved and applies the activation."""
        if self.use_bias:
            outputs = add_bias(outputs, self.bias, self.data_format)
        return outputs if self.activation is None else self.activation(outputs)


def known_to_keras(padding):
    """What Keras's constructor is given for `padding`: it knows strings only."""
    if isinstance(padding, str):
        return padding
    standardize_padding(padding)
    return "valid"


def explicit(padding, of_keras):
    """The padding of the layer: Keras's, unless zeros were given as numbers."""
    return of_keras if isinstance(padding, str) else standardize_padding(padding)
