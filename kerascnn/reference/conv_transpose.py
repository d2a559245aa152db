"""Transposed convolution: every input pixel adds the kernel, times its value, to a canvas."""

import numpy as np

from kerascnn.reference.windows import explicit_padding, pair, span, windows


def _crop(length, size, stride, padding, output_padding, dilation):
    """`(canvas, first, output)` along one axis: the size of the canvas, and the part to keep.

    All kernels cover `canvas = (length - 1) * stride + window` pixels, where
    `window = (size - 1) * dilation + 1`. Of these, the output keeps

    - "valid": `canvas + output_padding`; by default `(length - 1) * stride + max(window, stride)`,
    - "same": `(length - 1) * stride + window % 2 + output_padding`; by default `length * stride`,
    - `(before, after)`: `canvas - before - after + output_padding`; by default this is 0.

    "same" crops both ends equally, and an odd pixel at the far end. Where the output is larger than
    the canvas, it is zero.
    """
    window = span(size, dilation)
    canvas = (length - 1) * stride + window
    if padding == "valid":
        first = 0
        output = canvas + (max(stride - window, 0) if output_padding is None else output_padding)
    elif padding == "same":
        output = length * stride
        if output_padding is not None:
            output = (length - 1) * stride + window % 2 + output_padding
        first = max(canvas - output, 0) // 2
    else:
        first, after = padding
        output = canvas - first - after + (output_padding or 0)
    return max(canvas, first + output), first, output


def _canvas(x, kernel, strides, padding, output_padding, dilation):
    """`(height, width)` of the canvas, and its `(rows, columns)` that form the output."""
    both = zip(
        x.shape[1:3],
        kernel.shape[:2],
        pair(strides),
        (padding, padding) if padding in ("valid", "same") else explicit_padding(padding),
        (None, None) if output_padding is None else pair(output_padding),
        pair(dilation),
        strict=True,
    )
    (height, top, rows), (width, left, columns) = (_crop(*axis) for axis in both)
    return (height, width), (slice(top, top + rows), slice(left, left + columns))


def _output_channels(c, x, kernel, groups):
    """The filters of the group of input channel `c`."""
    filters_per_group = kernel.shape[2]
    group = c // (x.shape[-1] // groups)
    return slice(group * filters_per_group, (group + 1) * filters_per_group)


def conv_transpose2d(
    x,
    kernel,
    strides=(1, 1),
    padding="valid",
    output_padding=None,
    dilation=(1, 1),
    groups=1,
):
    """Transposed convolution of `x` `(n, h, w, c)` with `kernel` `(kh, kw, filters / groups, c)`.

    Every product `x[h, w, c] * kernel[i, j, o, c]`, where `o` runs over the filters of the group of
    channel `c`, is added to `canvas[h * stride + i * dilation, w * stride + j * dilation, o]`; the
    output is the canvas, cropped. `padding` is "valid" or "same", as in
    `keras.layers.Conv2DTranspose`, or the pixels to crop, as in PyTorch: an int, a pair
    `(height, width)` or `((top, bottom), (left, right))`.
    """
    canvas_size, (kept_rows, kept_columns) = _canvas(
        x, kernel, strides, padding, output_padding, dilation
    )
    canvas = np.zeros((len(x), *canvas_size, kernel.shape[2] * groups), np.result_type(x, kernel))
    for h, w, rows, columns in windows(x.shape[1:3], kernel.shape[:2], strides, dilation):
        for c in range(x.shape[-1]):
            pixel = x[:, h, w, c][:, None, None, None]
            canvas[:, rows, columns, _output_channels(c, x, kernel, groups)] += (
                pixel * kernel[..., c]
            )
    return canvas[:, kept_rows, kept_columns]


def conv_transpose2d_backward(
    dy,
    x,
    kernel,
    strides=(1, 1),
    padding="valid",
    output_padding=None,
    dilation=(1, 1),
    groups=1,
):
    """Gradients `(dx, dkernel)`.

    Pixel times weight was added to one position of the canvas, so the `dy` at this position flows
    to the pixel times the weight, and to the weight times the pixel; cropped positions have no
    gradient. For a pixel, this is a sum over the kernel: the backward pass of transposed
    convolution is a convolution.
    """
    canvas_size, (kept_rows, kept_columns) = _canvas(
        x, kernel, strides, padding, output_padding, dilation
    )
    dcanvas = np.zeros((len(x), *canvas_size, kernel.shape[2] * groups), dy.dtype)
    dcanvas[:, kept_rows, kept_columns] = dy
    dx = np.zeros(x.shape, np.result_type(dy, kernel))
    dkernel = np.zeros(kernel.shape, np.result_type(dy, x))
    for h, w, rows, columns in windows(x.shape[1:3], kernel.shape[:2], strides, dilation):
        for c in range(x.shape[-1]):
            upstream = dcanvas[:, rows, columns, _output_channels(c, x, kernel, groups)]
            pixel = x[:, h, w, c][:, None, None, None]
            dx[:, h, w, c] = (upstream * kernel[..., c]).sum(axis=(1, 2, 3))
            dkernel[..., c] += (upstream * pixel).sum(axis=0)
    return dx, dkernel
