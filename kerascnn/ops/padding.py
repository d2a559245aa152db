"""Zero padding of images: "valid", "same" or explicit."""

import numbers
from collections.abc import Sequence

from keras import ops

# "valid", "same", an int, a pair `(height, width)` or pairs `((top, bottom), (left, right))`.
Padding = str | int | Sequence[int] | Sequence[Sequence[int]]


def standardize_padding(padding):
    """Converts `padding` to `"valid"`, `"same"` or `((top, bottom), (left, right))`.

    An int means zeros on all four sides, and a pair of ints `(height, width)`.
    """
    if isinstance(padding, str) and padding in ("valid", "same"):
        return padding
    sides = padding
    if _is_zeros(sides):
        sides = (sides, sides)
    if isinstance(sides, (tuple, list)) and len(sides) == 2:
        sides = [(side, side) if _is_zeros(side) else side for side in sides]
        if all(
            isinstance(side, (tuple, list)) and len(side) == 2 and all(map(_is_zeros, side))
            for side in sides
        ):
            return tuple((int(before), int(after)) for before, after in sides)
    raise ValueError(
        "`padding` must be 'valid', 'same', an int, a pair (height, width) or pairs "
        f"((top, bottom), (left, right)) of ints, each at least 0; got padding={padding!r}."
    )


def _is_zeros(value):
    return isinstance(value, numbers.Integral) and not isinstance(value, bool) and value >= 0


def reach(kernel_size, dilation):
    """Returns the number of pixels that a dilated kernel covers."""
    return (kernel_size - 1) * dilation + 1


def convolved(size, kernel_size, stride, dilation, padding):
    """Returns the output size of a convolution along an axis with this `padding`."""
    if size is None:
        return None
    if padding == "same":
        return -(-size // stride)
    before, after = (0, 0) if padding == "valid" else padding
    return (size + before + after - reach(kernel_size, dilation)) // stride + 1


def of_axes(padding):
    """Returns the standardized padding of the height and of the width."""
    return (padding, padding) if isinstance(padding, str) else padding


def is_same(padding, kernel_size, strides, dilation):
    """Returns whether explicit padding is the same as "same" for every input size."""
    return strides == (1, 1) and all(
        (before + after, before) == (span - 1, (span - 1) // 2)
        for (before, after), span in zip(padding, map(reach, kernel_size, dilation), strict=True)
    )


def pad(x, padding, data_format):
    """Pads `x` with explicit zeros."""
    if padding == ((0, 0), (0, 0)):
        return x
    if data_format == "channels_first":
        return ops.pad(x, ((0, 0), (0, 0), *padding))
    return ops.pad(x, ((0, 0), *padding, (0, 0)))
