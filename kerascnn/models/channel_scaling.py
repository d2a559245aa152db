"""Scales and shifts the input or output channels of layers by changing their weights."""

from dataclasses import dataclass

import keras
import numpy as np

from kerascnn import layers
from kerascnn.models.acceleration import Conv2D
from kerascnn.ops.padding import standardize_padding

_CONVOLUTIONS = {
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.Conv3D,
    layers.GroupConv2D,
    layers.PointwiseConv2D,
    Conv2D,
}
_DEPTHWISE = {
    keras.layers.DepthwiseConv1D,
    keras.layers.DepthwiseConv2D,
    layers.DepthwiseConv2D,
}
_SEPARABLE = {
    keras.layers.SeparableConv1D,
    keras.layers.SeparableConv2D,
    layers.SeparableConv2D,
}
_TRANSPOSED = {
    keras.layers.Conv1DTranspose,
    keras.layers.Conv2DTranspose,
    keras.layers.Conv3DTranspose,
    layers.Conv2DTranspose,
}
# Without their subclasses, which may use the kernel differently.
_TYPES = {keras.layers.Dense} | _CONVOLUTIONS | _DEPTHWISE | _SEPARABLE | _TRANSPOSED


@dataclass(frozen=True)
class Scaling:
    """The transformation `y = scale * x + shift` of every channel.

    Args:
        scale: float64 array of shape `(channels,)`.
        shift: float64 array of shape `(channels,)`.
        of_input: bool, whether `x` is the input of the layer with the kernel instead of the output.
    """

    scale: np.ndarray
    shift: np.ndarray
    of_input: bool = False


def has_kernel(layer):
    """Returns whether a layer is a convolution or dense layer that `scaled` supports."""
    # Adapters and quantization add weights.
    weights = 1 + (type(layer) in _SEPARABLE) + getattr(layer, "use_bias", False)
    return type(layer) in _TYPES and len(layer.weights) == weights


def channel_axis_of(layer):
    """Returns the axis of the channels in the input and the output of a layer with a kernel."""
    return 1 if getattr(layer, "data_format", None) == "channels_first" else -1


def is_activated(layer):
    """Returns whether a layer with a kernel applies an activation function."""
    return layer.activation not in (None, keras.activations.linear)


def depends_on_place(layer):
    """Returns whether the output of a layer with a kernel varies for a constant input.

    This is the case at borders where a convolution adds zeros, and everywhere after a transposed
    convolution, whose pixels are sums of different parts of the kernel.
    """
    if type(layer) is keras.layers.Dense:
        return False
    if type(layer) in _TRANSPOSED:
        return True
    if isinstance(layer.padding, str):
        return layer.padding != "valid" and max(layer.kernel_size) > 1
    return np.any(standardize_padding(layer.padding))


def scaled(layer, scalings):
    """Returns weights with which a layer also scales and shifts its channels.

    Args:
        layer: layer with a kernel.
        scalings: list of `Scaling`, starting next to the layer.

    Returns:
        list of float64 arrays: one or two kernels and the bias, even if the layer has none.
    """
    *arrays, bias = layer.get_weights() if layer.use_bias else [*layer.get_weights(), 0.0]
    kernels = [_grouped(array.astype("float64"), layer, i) for i, array in enumerate(arrays)]
    for scaling in scalings:
        if scaling.of_input:
            shift = scaling.shift
            for kernel in kernels:
                shift = _of_constant(kernel, shift)
            bias = bias + shift
            kernels[0] = kernels[0] * _of_inputs(scaling.scale, kernels[0])
        else:
            kernels[-1] = kernels[-1] * scaling.scale.reshape(kernels[-1].shape[-2:])
            bias = bias * scaling.scale + scaling.shift
    return [*(_ungrouped(*pair, layer) for pair in zip(kernels, arrays, strict=True)), bias]


# Reshapes a kernel to the axes (..., inputs of a group, groups, outputs of a group)


def _grouped(kernel, layer, i):
    if type(layer) in _DEPTHWISE or (type(layer) in _SEPARABLE and i == 0):
        return kernel[..., np.newaxis, :, :]
    *spatial, inputs, outputs = kernel.shape
    groups = getattr(layer, "groups", 1)
    if type(layer) in _TRANSPOSED:  # (..., outputs of a group, inputs)
        return kernel.reshape(*spatial, inputs, groups, outputs // groups).swapaxes(-3, -1)
    return kernel.reshape(*spatial, inputs, groups, outputs // groups)


def _ungrouped(kernel, array, layer):
    if type(layer) in _TRANSPOSED:
        kernel = kernel.swapaxes(-3, -1)
    return kernel.reshape(array.shape)


def _of_inputs(vector, kernel):
    inputs, groups, _ = kernel.shape[-3:]
    return vector.reshape(groups, inputs).T[:, :, np.newaxis]


def _of_constant(kernel, vector):
    """Returns the output for a constant input."""
    product = kernel * _of_inputs(vector, kernel)
    return product.sum(axis=tuple(range(product.ndim - 2))).ravel()
