"""Padding of images to sizes that a model can halve repeatedly."""

import numbers
from typing import Any

from keras import ops

from kerascnn.arguments import one_of, pair
from kerascnn.geometry import Sizes, Window
from kerascnn.ops.shapes import image_shape, in_format, standardize_data_format
from kerascnn.ops.symbolic import symbolic

PAD_MODES = ("reflect", "zeros")


def pad_to_multiple2d_shape(
    shape: Any,
    multiple: Sizes,
    margin: Sizes = 0,
    remainder: Sizes = 0,
    mode: str = "reflect",
    data_format: str | None = None,
) -> tuple[Any, ...]:
    """Returns the output shape of `pad_to_multiple2d`, and checks its arguments."""
    multiple, margin, remainder = check_padding(multiple, margin, remainder, mode)
    data_format = standardize_data_format(data_format)
    batch, *sizes, channels = image_shape(shape, data_format)
    if mode == "reflect" and 0 in sizes:
        raise ValueError(
            "`mode` 'reflect' needs at least one pixel along each axis; "
            f"got input shape {tuple(shape)}."
        )
    padded = [
        None if axis[0] is None else _padded(*axis)
        for axis in zip(sizes, multiple, margin, remainder, strict=True)
    ]
    height, width = padded
    return in_format(batch, height, width, channels, data_format)


def check_padding(multiple, margin, remainder, mode):
    """Checks the arguments; returns the three numbers as pairs."""
    multiple = pair(multiple, "multiple")
    margin, remainder = natural_pair(margin, "margin"), natural_pair(remainder, "remainder")
    if any(rest >= whole for rest, whole in zip(remainder, multiple, strict=True)):
        raise ValueError(
            "`remainder` must be less than `multiple`; "
            f"got remainder={remainder} with multiple={multiple}."
        )
    one_of(mode, PAD_MODES, "mode")
    return multiple, margin, remainder


def natural_pair(value, name):
    """Converts an int or a pair of ints, each at least 0, to a pair `(height, width)`."""
    sizes = (value, value) if isinstance(value, numbers.Integral) else value
    if (
        not isinstance(sizes, (tuple, list))
        or len(sizes) != 2
        or not all(isinstance(size, numbers.Integral) and size >= 0 for size in sizes)
    ):
        raise ValueError(
            f"`{name}` must be an int or a pair of ints, each at least 0; got {name}={value!r}."
        )
    return int(sizes[0]), int(sizes[1])


def _padded(size, multiple, margin, remainder):
    least = size + 2 * margin
    # Avoids the division of negative numbers, which ONNX rounds differently.
    most = least + multiple - 1 - remainder
    return most - most % multiple + remainder


@symbolic(pad_to_multiple2d_shape, window=Window())
def pad_to_multiple2d(
    x: Any,
    multiple: Sizes,
    margin: Sizes = 0,
    remainder: Sizes = 0,
    mode: str = "reflect",
    data_format: str | None = None,
) -> Any:
    """Pads height and width to the next size with a given remainder modulo `multiple`.

    A side of `size` pixels becomes the smallest `n >= size + 2 * margin` with
    `n % multiple == remainder`. With `y[i] = x[i - margin]` along each axis, positions outside the
    image are zero, or reflected at the border pixels as often as needed: `x[-i] = x[i]`,
    `x[size - 1 + i] = x[size - 1 - i]`.

    Args:
        x: tensor of shape `(batch, height, width, channels)`, or channels first.
        multiple: int or pair of ints, at least 1.
        margin: int or pair of ints, at least 0: padding before; the rest is added after.
        remainder: int or pair of ints, from 0 to `multiple - 1`.
        mode: `"reflect"` or `"zeros"`.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.

    Returns:
        tensor of shape `(batch, padded_height, padded_width, channels)`, or channels first.

    Raises:
        ValueError: if an argument is invalid.

    Reference:
        the mirrored margin: [Ronneberger et al., 2015](https://arxiv.org/abs/1505.04597), figure 2

    Example:
        >>> import keras
        >>> import kerascnn
        >>> x = keras.ops.reshape(keras.ops.array([1.0, 2.0, 3.0]), (1, 1, 3, 1))
        >>> y = kerascnn.ops.pad_to_multiple2d(x, (1, 4), margin=(0, 2))
        >>> keras.ops.convert_to_numpy(y).ravel().tolist()
        [3.0, 2.0, 1.0, 2.0, 3.0, 2.0, 1.0, 2.0]
    """
    pad_to_multiple2d_shape(x.shape, multiple, margin, remainder, mode, data_format)
    multiple, margin, remainder = check_padding(multiple, margin, remainder, mode)
    data_format = standardize_data_format(data_format)
    x = ops.convert_to_tensor(x)
    sizes = image_shape(ops.shape(x), data_format)[1:3]
    padded = [_padded(*axis) for axis in zip(sizes, multiple, margin, remainder, strict=True)]
    if mode == "zeros":
        height, width = (
            (before, whole - before - size)
            for size, whole, before in zip(sizes, padded, margin, strict=True)
        )
        return ops.pad(x, in_format((0, 0), height, width, (0, 0), data_format))
    axes = (1, 2) if data_format == "channels_last" else (2, 3)
    for axis, size, whole, before in zip(axes, sizes, padded, margin, strict=True):
        # An axis of unknown size needs a gather, even if its padding may be empty.
        if not (isinstance(whole, int) and whole == size):
            x = ops.take(x, _mirrored(size, whole, before), axis=axis)
    return x


def _mirrored(size, whole, before):
    """Returns the pixel that each position reflects: forwards to the last pixel, then backwards."""
    least = max if isinstance(size, int) else ops.maximum
    period = least(2 * (size - 1), 1)
    position = (ops.arange(whole, dtype="int32") + period - before % period) % period
    return ops.minimum(position, period - position)
