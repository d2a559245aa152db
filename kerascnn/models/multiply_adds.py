"""Multiply-adds of an operation: a rule for each class takes the shapes of inputs and outputs."""

import math
from functools import singledispatch

import keras

from kerascnn import layers
from kerascnn.models.operations import ELEMENTWISE, PRODUCTS, is_keras, pair_of
from kerascnn.ops.shapes import image_shape


@singledispatch
def multiply_adds_of(operation, inputs, outputs):
    """Multiply-adds for one image, or `None` where they are not known."""
    name = type(operation).__name__
    if name in PRODUCTS or getattr(operation, "weights", ()):
        return None
    return 0 if is_keras(operation) or name in ELEMENTWISE else None


def _kernel_per_output(layer, inputs, outputs):
    # Counted from the values of the output, so that it holds where they are rearranged after.
    return _product(*outputs[0][1:], *layer.kernel.shape[:-1])


def _kernel_per_input(layer, inputs, outputs):
    return _product(*inputs[0][1:], *layer.kernel.shape[:-1])


def _window_per_output(layer, inputs, outputs):
    sizes = layer.kernel_size
    return _product(*outputs[0][1:], *(pair_of(sizes) or sizes))


def _separable(layer, inputs, outputs):
    values = math.prod(layer.depthwise_kernel.shape) + math.prod(layer.pointwise_kernel.shape)
    count = _product(*outputs[0][1:], values)
    return None if count is None else count // layer.filters


def _einsum(layer, inputs, outputs):
    operands, _, result = layer.equation.replace(" ", "").partition("->")
    kernel = zip(operands.partition(",")[2], layer.kernel.shape, strict=True)
    summed = [size for label, size in kernel if label not in result]
    return _product(*outputs[0][1:], *summed)


def _connections(layer, inputs, outputs):
    _, height, width, _ = image_shape(outputs[0], layer.data_format)
    return _product(height, width, math.prod(layer.kernel.shape))


def _gate(layer, inputs, outputs):
    return math.prod(layer.squeeze_kernel.shape) + math.prod(layer.excite_kernel.shape)


def _distances(layer, inputs, outputs):
    return _product(*outputs[0][1:], inputs[0][-1])


def free(layer, inputs, outputs):
    """The rule of layers whose weights scale and shift single elements."""
    return 0


for _rule, _classes in {
    _kernel_per_output: (
        keras.layers.Conv1D,
        keras.layers.Conv2D,
        keras.layers.Conv3D,
        keras.layers.Dense,
        layers.SubpixelConv2D,
    ),
    _kernel_per_input: (
        keras.layers.Conv1DTranspose,
        keras.layers.Conv2DTranspose,
        keras.layers.Conv3DTranspose,
    ),
    _window_per_output: (
        keras.layers.DepthwiseConv1D,
        keras.layers.DepthwiseConv2D,
        layers.BlurPool2D,
        layers.FixedFilter2D,
    ),
    _separable: (keras.layers.SeparableConv1D, keras.layers.SeparableConv2D),
    _einsum: (keras.layers.EinsumDense,),
    _connections: (layers.ConnectionTableConv2D,),
    _gate: (layers.SqueezeExcite,),
    _distances: (layers.RBFOutput,),
    free: (
        keras.layers.BatchNormalization,
        keras.layers.Embedding,
        keras.layers.GroupNormalization,
        keras.layers.LayerNormalization,
        keras.layers.Normalization,
        keras.layers.PReLU,
        keras.layers.RMSNormalization,
        layers.BatchNormalization,
        layers.BilinearUpsampling2D,
        layers.ChannelShuffle,
        layers.CropLike2D,
        layers.DropBlock2D,
        layers.Dropout,
        layers.LocalResponseNormalization,
        layers.MaxPoolWithArgmax2D,
        layers.MaxUnpool2D,
        layers.Maxout,
        layers.PadToMultiple2D,
        layers.PixelShuffle,
        layers.PixelUnshuffle,
        layers.ScaledTanh,
        layers.StochasticDepth,
        layers.Subsampling2D,
    ),
}.items():
    for _class in _classes:
        multiply_adds_of.register(_class, _rule)


def _product(*sizes):
    return None if None in sizes else math.prod(sizes)
