"""Receptive fields: a rule for each class takes the field of the inputs and the shapes."""

import math
import numbers
from dataclasses import dataclass
from functools import singledispatch

import keras

from kerascnn import layers
from kerascnn.models.operations import PRODUCTS, argument, is_keras, pair_of


@dataclass(frozen=True)
class Field:
    """What one pixel of a tensor sees of the image, and how far its neighbours are apart.

    Args:
        size: pair `(height, width)` of pixels of the image.
        stride: pair of fractions, or `None` for a tensor without height and width.
        axes: pair, where the tensor has its height and width.
    """

    size: tuple
    stride: tuple | None = None
    axes: tuple | None = None


NOTHING = Field((0, 0))  # of a tensor that the image has no part in
_WHOLE = Field((math.inf, math.inf))


def moves(field):
    """Whether a layer can change a field: one that is known, of a tensor with height and width."""
    return field is not None and field.stride is not None


def merged(fields):
    """The field of a tensor that several others are combined to; `None` if one is not known."""
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


@singledispatch
def field_after(operation, field, inputs, outputs):
    """The `Field` of an operation's outputs, or `None` where it is not known."""
    window = window_of(operation)
    if window is not None:
        return _through_unknown_window(operation, field, inputs, outputs, *window)
    name = type(operation).__name__
    if name in _OPERATIONS:
        return _OPERATIONS[name](operation, field, inputs, outputs)
    if name in PRODUCTS or not is_keras(operation):
        return None
    if hasattr(operation, "axis"):
        return _along_axis(operation, field, outputs)
    return field if _is_elementwise(inputs, outputs) else None


def _keep(operation, field, inputs, outputs):
    return field


def _whole(operation, field, inputs, outputs):
    return _WHOLE


def _gated(operation, field, inputs, outputs):
    return Field(_WHOLE.size, field.stride, field.axes)


def _through_window(operation, field, inputs, outputs):
    window, strides = window_of(operation)
    return _widened(field, window, strides)


def _through_transposed_window(operation, field, inputs, outputs):
    window, strides = window_of(operation)
    return _refined(field, window, strides)


def _through_upsampling(layer, field, inputs, outputs):
    # How many pixels an interpolation reads for one, in pixels of its input
    reach = {"nearest": 1, "bilinear": 2, "bicubic": 4, "lanczos3": 6, "lanczos5": 10}
    taps = reach[getattr(layer, "interpolation", "bilinear")]
    sizes = pair_of(argument(layer, "size"))
    window = tuple(taps * size if size > 1 else 1 for size in sizes)
    return _refined(field, window, sizes)


def _through_shuffle(layer, field, inputs, outputs):
    if window_of(layer) is not None:  # sub-pixel convolution: the window comes first
        field = _through_window(layer, field, inputs, outputs)
    block = pair_of(argument(layer, "block_size"))
    return _refined(field, block, block)


def _through_unshuffle(layer, field, inputs, outputs):
    block = pair_of(argument(layer, "block_size"))
    return _widened(field, block, block)


def _through_unknown_window(operation, field, inputs, outputs, window, strides):
    """A layer that only its attributes describe: whether it goes up or down, its shapes tell."""
    if strides == (1, 1):
        return _widened(field, window, strides)
    before, after = ([shape[0][axis] for axis in field.axes] for shape in (inputs, outputs))
    if None in before + after:
        return None
    if all(n <= m for n, m in zip(after, before, strict=True)):
        return _widened(field, window, strides)
    if all(n >= m for n, m in zip(after, before, strict=True)):
        return _refined(field, window, strides)
    return None


def _along_axis(operation, field, outputs):
    """A reduction, softmax, split, concatenation ... along the axes in `axis`."""
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
        layers.BlurPool2D,
        layers.ConnectionTableConv2D,
        layers.FixedFilter2D,
        layers.MaxPoolWithArgmax2D,
        layers.Subsampling2D,
    ),
    _through_transposed_window: (keras.layers.Conv2DTranspose, layers.MaxUnpool2D),
    _through_upsampling: (keras.layers.UpSampling2D, layers.BilinearUpsampling2D),
    _through_shuffle: (layers.PixelShuffle, layers.SubpixelConv2D),
    _through_unshuffle: (layers.PixelUnshuffle,),
    _gated: (layers.SqueezeExcite,),
    _keep: (
        keras.layers.BatchNormalization,
        keras.layers.Cropping2D,
        keras.layers.Dense,
        keras.layers.GroupNormalization,
        keras.layers.LayerNormalization,
        keras.layers.RMSNormalization,
        keras.layers.ZeroPadding2D,
        layers.BatchNormalization,
        layers.ChannelShuffle,
        layers.CropLike2D,
        layers.DropBlock2D,
        layers.Dropout,
        layers.LocalResponseNormalization,
        layers.Maxout,
        layers.PadToMultiple2D,
        layers.RBFOutput,
        layers.ScaledTanh,
        layers.StochasticDepth,
    ),
    _whole: (
        keras.layers.Flatten,
        keras.layers.GlobalAveragePooling2D,
        keras.layers.GlobalMaxPooling2D,
    ),
}.items():
    for _class in _classes:
        field_after.register(_class, _rule)

# Operations whose classes are not public, by their names: one of Keras's, then ours
_OPERATIONS = {
    "Pad": _keep,
    "channel_shuffle": _keep,
    "crop_like2d": _keep,
    "dense_concatenation": _keep,
    "local_response_normalization": _keep,
    "maxout": _keep,
    "pad_to_multiple2d": _keep,
    "bilinear_upsampling2d": _through_upsampling,
    "pixel_shuffle": _through_shuffle,
    "pixel_unshuffle": _through_unshuffle,
    "residual_sum": _keep,
}


def window_of(operation):
    """Window (dilated) and strides of an operation that has such attributes, else `None`."""
    size = pair_of(getattr(operation, "kernel_size", getattr(operation, "pool_size", None)))
    if size is None:
        return None
    default = size if hasattr(operation, "pool_size") else 1
    strides = pair_of(getattr(operation, "strides", None)) or pair_of(default)
    dilation = pair_of(getattr(operation, "dilation_rate", 1)) or (1, 1)
    window = tuple((k - 1) * d + 1 for k, d in zip(size, dilation, strict=True))
    return window, strides


def _widened(field, window, strides):
    size = tuple(r + (k - 1) * j for r, k, j in zip(field.size, window, field.stride, strict=True))
    stride = tuple(j * s for j, s in zip(field.stride, strides, strict=True))
    return Field(size, stride, field.axes)


def _refined(field, window, strides):
    size = tuple(
        r + (math.ceil(k / s) - 1) * j
        for r, k, s, j in zip(field.size, window, strides, field.stride, strict=True)
    )
    stride = tuple(j / s for j, s in zip(field.stride, strides, strict=True))
    return Field(size, stride, field.axes)


def _is_elementwise(inputs, outputs):
    """Whether every output has the shape that the inputs have together, broadcast."""
    rank = max(map(len, inputs))
    sizes = list(zip(*((1,) * (rank - len(shape)) + shape for shape in inputs), strict=True))
    return all(
        len(shape) == rank
        and all(set(found) <= {1, size} for found, size in zip(sizes, shape, strict=True))
        for shape in outputs
    )
