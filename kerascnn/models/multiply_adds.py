"""Multiply-adds of operations: from their methods, or by rules for Keras's classes."""

import math
from functools import singledispatch

import keras

from kerascnn.geometry import WithoutProducts, product
from kerascnn.models.operations import PRODUCTS, is_keras, pair_of


def multiply_adds_of(operation, inputs, outputs):
    """Returns the multiply-adds for one image, or `None` if unknown."""
    if hasattr(operation, "compute_multiply_adds"):
        return operation.compute_multiply_adds(_one_or_all(inputs), _one_or_all(outputs))
    return multiply_adds_by_class(operation, inputs, outputs)


def _one_or_all(shapes):
    return shapes[0] if len(shapes) == 1 else shapes


@singledispatch
def multiply_adds_by_class(operation, inputs, outputs):
    """Returns the multiply-adds of an operation without `compute_multiply_adds`."""
    if type(operation).__name__ in PRODUCTS or getattr(operation, "weights", ()):
        return None
    return 0 if is_keras(operation) else None


def costs_nothing(layer):
    """Returns whether a layer has no multiply-adds, whatever its input is."""
    if isinstance(layer, WithoutProducts):
        return True
    rule = multiply_adds_by_class.dispatch(type(layer))
    return rule is _free or not (layer.weights or hasattr(layer, "compute_multiply_adds"))


def _kernel_per_output(layer, inputs, outputs):
    return product(*outputs[0][1:], *layer.kernel.shape[:-1])


def _kernel_per_input(layer, inputs, outputs):
    return product(*inputs[0][1:], *layer.kernel.shape[:-1])


def _window_per_output(layer, inputs, outputs):
    sizes = layer.kernel_size
    return product(*outputs[0][1:], *(pair_of(sizes) or sizes))


def _separable(layer, inputs, outputs):
    values = math.prod(layer.depthwise_kernel.shape) + math.prod(layer.pointwise_kernel.shape)
    count = product(*outputs[0][1:], values)
    return None if count is None else count // layer.filters


def _einsum(layer, inputs, outputs):
    operands, _, result = layer.equation.replace(" ", "").partition("->")
    kernel = zip(operands.partition(",")[2], layer.kernel.shape, strict=True)
    summed = [size for label, size in kernel if label not in result]
    return product(*outputs[0][1:], *summed)


def _free(layer, inputs, outputs):
    return 0


for _rule, _classes in {
    _kernel_per_output: (
        keras.layers.Conv1D,
        keras.layers.Conv2D,
        keras.layers.Conv3D,
        keras.layers.Dense,
    ),
    _kernel_per_input: (
        keras.layers.Conv1DTranspose,
        keras.layers.Conv2DTranspose,
        keras.layers.Conv3DTranspose,
    ),
    _window_per_output: (keras.layers.DepthwiseConv1D, keras.layers.DepthwiseConv2D),
    _separable: (keras.layers.SeparableConv1D, keras.layers.SeparableConv2D),
    _einsum: (keras.layers.EinsumDense,),
    _free: (  # their weights scale and shift single elements
        keras.layers.BatchNormalization,
        keras.layers.Embedding,
        keras.layers.GroupNormalization,
        keras.layers.LayerNormalization,
        keras.layers.Normalization,
        keras.layers.PReLU,
        keras.layers.RMSNormalization,
    ),
}.items():
    for _class in _classes:
        multiply_adds_by_class.register(_class, _rule)
