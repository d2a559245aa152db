"""The base class of convolutions that derive from Keras's layers."""

from collections.abc import Callable
from typing import Any

from kerascnn.ops.add_bias import add_bias
from kerascnn.ops.padding import standardize_padding
from kerascnn.ops.shapes import known_channels


class KerasConv:
    """A mixin that comes before a Keras convolution layer in the bases of a class."""

    # Attributes of the Keras layer.
    strides: Any
    padding: Any
    data_format: Any
    dilation_rate: Any
    kernel: Any
    bias: Any
    use_bias: bool
    activation: Any
    convolution_op: Callable[..., Any]

    @property
    def options(self) -> dict[str, Any]:
        """The arguments that all convolution ops share."""
        return {
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
        }

    def channels(self, shape: Any) -> int:
        """The number of channels in a shape, which must be known."""
        return known_channels(shape, self.data_format)

    def call(self, inputs: Any) -> Any:
        return self.biased_and_activated(self.convolution_op(inputs, self.kernel))

    def biased_and_activated(self, outputs: Any) -> Any:
        """Adds the bias to the result of a convolution, and applies the activation."""
        if self.use_bias:
            outputs = add_bias(outputs, self.bias, self.data_format)
        return outputs if self.activation is None else self.activation(outputs)


def known_to_keras(padding):
    """Returns `padding` for Keras's constructor, which supports only strings."""
    if isinstance(padding, str):
        return padding
    standardize_padding(padding)
    return "valid"


def explicit(padding, of_keras):
    """Returns the padding of the layer: explicit zeros if given, otherwise Keras's."""
    return of_keras if isinstance(padding, str) else standardize_padding(padding)
