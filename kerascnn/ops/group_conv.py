"""Group convolution: each group of output channels sees one group of input channels."""

from typing import Any

import keras

from kerascnn.arguments import pair
from kerascnn.geometry import Sizes
from kerascnn.ops.empty_batch import takes_empty_batches
from kerascnn.ops.padding import Padding, convolved, is_same, of_axes, pad, standardize_padding
from kerascnn.ops.shapes import image_shape, in_format, known_channels, standardize_data_format
from kerascnn.ops.symbolic import symbolic

if keras.backend.backend() == "tensorflow":
    from kerascnn.backend.group_conv import group_conv2d as conv
else:
    from kerascnn.backend.keras_conv import conv


def group_conv2d_shape(
    shape: Any,
    kernel_shape: Any,
    strides: Sizes = 1,
    padding: Padding = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> tuple[Any, ...]:
    """Returns the output shape of `group_conv2d`, and checks its arguments."""
    strides = pair(strides, "strides")
    dilation_rate = pair(dilation_rate, "dilation_rate")
    padding = standardize_padding(padding)
    data_format = standardize_data_format(data_format)
    batch, height, width, _ = image_shape(shape, data_format)
    channels = known_channels(shape, data_format)
    if len(kernel_shape) != 4:
        raise ValueError(
            "`kernel` must have the shape (height, width, channels / groups, filters); "
            f"got kernel shape {tuple(kernel_shape)}."
        )
    channels_per_group, filters = kernel_shape[2:]
    if channels_per_group < 1 or channels % channels_per_group or not channels:
        raise ValueError(
            "The input channels of a group must divide the number of input channels; "
            f"got {channels_per_group} of {channels} channels "
            f"(input shape {tuple(shape)}, kernel shape {tuple(kernel_shape)})."
        )
    groups = channels // channels_per_group
    if filters % groups:
        raise ValueError(
            "The number of groups must divide the number of filters; "
            f"got {groups} groups and {filters} filters "
            f"(input shape {tuple(shape)}, kernel shape {tuple(kernel_shape)})."
        )
    spatial = [
        convolved(*sizes)
        for sizes in zip(
            (height, width),
            kernel_shape[:2],
            strides,
            dilation_rate,
            of_axes(padding),
            strict=True,
        )
    ]
    if any(size is not None and size < 1 for size in spatial):
        raise ValueError(
            # The message begins like Keras's own, whose tests also run with our layer.
            "Computed output size would be zero or negative: the kernel must fit into the padded "
            "input; "
            f"got kernel size {tuple(kernel_shape[:2])} with dilation_rate={dilation_rate} and "
            f"padding={padding!r} on input shape {tuple(shape)}."
        )
    height, width = spatial
    return in_format(batch, height, width, filters, data_format)


@symbolic(group_conv2d_shape, tensors=2)
@takes_empty_batches
def group_conv2d(
    x: Any,
    kernel: Any,
    strides: Sizes = 1,
    padding: Padding = "valid",
    data_format: str | None = None,
    dilation_rate: Sizes = 1,
) -> Any:
    """Convolves each group of channels with its own filters.

    With `G` groups of `I` input and `O` output channels each, `g = o // O`, strides `s` and
    dilation rate `d`, on the padded `x`,

        y[h, w, o] = sum over i, j, c of
            x[h * s + i * d, w * s + j * d, g * I + c] * kernel[i, j, c, o]

    Args:
        x: float tensor of shape `(batch, height, width, G * I)`, or channels first.
        kernel: float tensor of shape `(kernel_height, kernel_width, I, G * O)`; its third axis
            determines the number of groups.
        strides: int or pair of ints.
        padding: `"valid"`, `"same"`, or zeros around the image: an int, a pair
            `(height, width)` or pairs `((top, bottom), (left, right))`.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.
        dilation_rate: int or pair of ints.

    Returns:
        float tensor of shape `(batch, new_height, new_width, G * O)`, or channels first.

    Raises:
        ValueError: if the channels and filters do not divide into groups, or the kernel does not
            fit.

    Reference:
        [Krizhevsky et al., 2012](https://papers.nips.cc/paper/4824), [Xie et al.,
        2017](https://arxiv.org/abs/1611.05431)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> x, kernel = keras.ops.ones((1, 5, 5, 8)), keras.ops.ones((3, 3, 2, 12))
        >>> tuple(kerascnn.ops.group_conv2d(x, kernel).shape)
        (1, 3, 3, 12)
    """
    group_conv2d_shape(x.shape, kernel.shape, strides, padding, data_format, dilation_rate)
    strides = pair(strides, "strides")
    dilation_rate = pair(dilation_rate, "dilation_rate")
    data_format = standardize_data_format(data_format)
    padding = standardize_padding(padding)
    if not isinstance(padding, str):
        if is_same(padding, kernel.shape[:2], strides, dilation_rate):
            padding = "same"
        else:
            x, padding = pad(x, padding, data_format), "valid"
    return conv(
        x,
        kernel,
        strides=strides,
        padding=padding,
        data_format=data_format,
        dilation_rate=dilation_rate,
    )
