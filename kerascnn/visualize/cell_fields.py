"""Positions of the receptive fields of cells in the images."""

import math
from fractions import Fraction

import keras
import numpy as np

from kerascnn.arguments import UsageError
from kerascnn.geometry import Window
from kerascnn.layers import PadToMultiple2D
from kerascnn.models.operations import data_format_of
from kerascnn.models.receptive_field import Field, field_after
from kerascnn.ops.padding import of_axes

_PIXEL = Window()


def field_of_cells(model, layer):
    """Returns the position, stride and size of the receptive fields of a layer's cells.

    Args:
        model: `keras.Model` whose layers up to `layer` form a sequence.
        layer: layer of the model.

    Returns:
        `(offset, strides, size)`, pairs of numbers in pixels of the image: the center of the field
        of cell (0, 0), the distance between the fields of neighboring cells, and their size.

    Raises:
        ValueError: if the layers do not form a sequence, or the position of one is unknown.
    """
    axes = (2, 3) if data_format_of(model) == "channels_first" else (1, 2)
    offset, window = np.zeros(2), _PIXEL
    for operation in keras.Model(model.inputs[0], first_output(layer)).operations:
        if isinstance(operation, keras.layers.InputLayer):
            continue
        step = _step(operation, axes)
        if step is None:
            raise UsageError(
                f"`model` must be a sequence of layers with known windows up to {layer.name!r}; "
                f"got {operation.name!r} in {model.name!r}."
            )
        own, first = step
        offset = offset + np.array(window.strides, float) * np.array(first, float)
        window = window.then(own)
    return offset, [float(step) for step in window.strides], window.size


def first_output(layer):
    """Returns the output of a layer, or the first of several."""
    return keras.tree.flatten(layer.output)[0]


def _step(operation, axes):
    """Returns the `Window` of an operation and the center of its first window, or `None`."""
    inputs = keras.tree.flatten(operation.input)
    shapes = [tuple(tensor.shape) for tensor in (inputs[0], first_output(operation))]
    if len(inputs) > 1 or any(len(shape) != 4 for shape in shapes):
        return None
    taken, given = ([shape[axis] for axis in axes] for shape in shapes)
    if isinstance(operation, keras.layers.ZeroPadding2D):
        return _PIXEL, [-before for before, _ in operation.padding]
    if isinstance(operation, keras.layers.Cropping2D):
        return _PIXEL, [before for before, _ in operation.cropping]
    if isinstance(operation, PadToMultiple2D):
        return _PIXEL, [-margin for margin in operation.margin]
    if None in (*taken, *given):
        return None
    if isinstance(operation, keras.layers.Resizing):
        return _resizing(operation, taken, given)
    window = _window_of(operation, axes, shapes)
    if window is None:
        return None
    first = _first(operation, window, taken, given)
    return None if first is None else (window, first)


def _resizing(layer, taken, given):
    if layer.crop_to_aspect_ratio or layer.pad_to_aspect_ratio:
        return None
    scale = [Fraction(before, after) for before, after in zip(taken, given, strict=True)]
    window = Window(tuple(scale), tuple(scale))  # pyright: ignore[reportArgumentType]
    return window, [(step - 1) / 2 for step in scale]


def _window_of(operation, axes, shapes):
    """Returns the `Window` of an operation, or `None` if it is unknown or the whole image."""
    before, after = shapes
    field = field_after(operation, Field((1, 1), (1, 1), axes), [before], [after])
    if field is None or field.stride is None or math.inf in field.size:
        return None
    return Window(field.size, field.stride)


def _first(operation, window, taken, given):
    """Returns the center of the first window in pixels of the input, or `None` if unknown."""
    if hasattr(operation, "spacing"):
        return [
            (size - 1 - float(step) * (count - 1)) / 2
            for size, count, step in zip(taken, given, window.strides, strict=True)
        ]
    if min(window.strides) < 1:
        return None
    padding = getattr(operation, "padding", None)
    if padding not in ("same", "valid") and not isinstance(padding, tuple):
        return (0, 0) if window == _PIXEL and taken == given else None
    first = []
    for size, count, side, step, pad in zip(taken, given, *window, of_axes(padding), strict=True):
        if pad == "same":
            first.append((side - 1) / 2 - max((count - 1) * step + side - size, 0) // 2)
        else:
            first.append((side - 1) / 2 - (0 if pad == "valid" else pad[0]))
    return first
