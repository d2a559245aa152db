"""Receptive fields of operations: from their methods, or by rules for Keras's classes."""

import math
import numbers
from dataclasses import dataclass
from functools import singledispatch

import keras

from kerascnn.geometry import Window, refining, sliding
from kerascnn.models.operations import MOVES, MOVES_ALONG_AXIS, PRODUCTS, is_keras, pair_of


@dataclass(frozen=True)
class Field:
    """The receptive field of a pixel of a tensor, and the distance to its neighbors.

    Args:
        size: pair `(height, width)` of pixels of the image.
        stride: pair of fractions, or `None` for a tensor without height and width.
        axes: pair, the axes of height and width.
    """

    size: tuple
    stride: tuple | None = None
    axes: tuple | None = None

    def after(self, window):
        """Returns the field of the output of an operation with this window."""
        return Field(*Window(self.size, self.stride).then(window), self.axes)  # pyright: ignore[reportArgumentType]


NOTHING = Field((0, 0))  # for a tensor that does not depend on the image
_WHOLE = Field((math.inf, math.inf))


def moves(field):
    """Returns whether a layer can change a field: a known field with height and width."""
    return field is not None and field.stride is not None


def merged(fields):
    """Returns the field of a combination of tensors; `None` if one is unknown."""
    if not fields or None in fields:
        return None
    maps = [field for field in fields if field.stride is not None]
    return Field(
        size=_largest(field.size for field in fields),
        stride=_largest(field.stride for field in maps) if maps else None,
        axes=maps[0].axes if maps else None,
    )


def _largest(pairs):
    return tuple(max(sizes) for sizes in zip(*pairs, strict=True))


def field_after(operation, field, inputs, outputs):
    """Returns the `Field` of an operation's outputs, or `None` if unknown."""
    if hasattr(operation, "compute_window"):
        window = operation.compute_window()
        return None if window is None else field.after(window)
    return field_by_class(operation, field, inputs, outputs)


@singledispatch
def field_by_class(operation, field, inputs, outputs):
    """Returns the field of an operation without `compute_window`."""
    window = window_of(operation)
    if window is not None:
        return _through_unknown_window(window, field, inputs, outputs)
    name = type(operation).__name__
    if name == "Pad":  # its class is not public
        return field
    if name in PRODUCTS | MOVES or not is_keras(operation):
        return None
    if hasattr(operation, "axis"):
        after = _along_axis(operation, field, outputs)
        return None if after is _WHOLE and name in MOVES_ALONG_AXIS else after
    return field if _is_elementwise(inputs, outputs) else None


def _keep(layer, field, inputs, outputs):
    return field


def _whole(layer, field, inputs, outputs):
    return _WHOLE


def _through_window(layer, field, inputs, outputs):
    return field.after(window_of(layer))


def _through_transposed_window(layer, field, inputs, outputs):
    window = window_of(layer)
    return field.after(refining(window.strides, window.size))  # pyright: ignore[reportArgumentType]


def _through_upsampling(layer, field, inputs, outputs):
    # Number of input pixels that an interpolation reads for one output pixel
    reach = {"nearest": 1, "bilinear": 2, "bicubic": 4, "lanczos3": 6, "lanczos5": 10}
    taps = reach[layer.interpolation]
    factors = tuple(layer.size)
    return field.after(refining(factors, [taps * f if f > 1 else 1 for f in factors]))


def _through_unknown_window(window, field, inputs, outputs):
    """Returns the field of a layer with a window, whose shapes show whether it upsamples."""
    if window.strides == (1, 1):
        return field.after(window)
    before, after = ([shape[0][axis] for axis in field.axes] for shape in (inputs, outputs))
    if None in before + after:
        return None
    if all(n <= m for n, m in zip(after, before, strict=True)):
        return field.after(window)
    if all(n >= m for n, m in zip(after, before, strict=True)):
        return field.after(refining(window.strides, window.size))
    return None


def _along_axis(operation, field, outputs):
    """Returns the field of a reduction, softmax, split, concatenation ... along `axis`."""
    axes = operation.axis
    if axes is None:
        return _WHOLE
    axes = [axes] if isinstance(axes, numbers.Integral) else axes
    crossed = {axis % 4 for axis in axes} & set(field.axes)
    if len(crossed) == 2:
        return _WHOLE
    return None if crossed or len(outputs[0]) != 4 else field


for _rule, _classes in {
    _through_window: (
        keras.layers.AveragePooling2D,
        keras.layers.Conv2D,
        keras.layers.DepthwiseConv2D,
        keras.layers.MaxPooling2D,
        keras.layers.SeparableConv2D,
    ),
    _through_transposed_window: (keras.layers.Conv2DTranspose,),
    _through_upsampling: (keras.layers.UpSampling2D,),
    _keep: (
        keras.layers.BatchNormalization,
        keras.layers.Cropping2D,
        keras.layers.Dense,
        keras.layers.GroupNormalization,
        keras.layers.LayerNormalization,
        keras.layers.RMSNormalization,
        keras.layers.ZeroPadding2D,
    ),
    _whole: (
        keras.layers.Flatten,
        keras.layers.GlobalAveragePooling2D,
        keras.layers.GlobalMaxPooling2D,
    ),
}.items():
    for _class in _classes:
        field_by_class.register(_class, _rule)


def window_of(operation):
    """Returns the `Window` of an operation from its attributes, or `None` without any."""
    size = pair_of(getattr(operation, "kernel_size", getattr(operation, "pool_size", None)))
    if size is None:
        return None
    default = size if hasattr(operation, "pool_size") else (1, 1)
    strides = pair_of(getattr(operation, "strides", None)) or default
    return sliding(size, strides, pair_of(getattr(operation, "dilation_rate", 1)) or (1, 1))


def _is_elementwise(inputs, outputs):
    """Returns whether every output has the broadcast shape of the inputs."""
    rank = max(map(len, inputs))
    sizes = list(zip(*((1,) * (rank - len(shape)) + shape for shape in inputs), strict=True))
    return all(
        len(shape) == rank
        and all(set(found) <= {1, size} for found, size in zip(sizes, shape, strict=True))
        for shape in outputs
    )
