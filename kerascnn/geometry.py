"""Windows and multiply-adds of layers, which layers report themselves.

`kerascnn.summary` calls two methods of every layer and operation, named after Keras's
`compute_output_shape`. Layers of other packages can have them too, without importing this module:

- `compute_window()` returns the `Window` of a layer on images, or a plain tuple `(size, strides)`.
- `compute_multiply_adds(input_shape, output_shape)` returns the multiply-adds for one image. The
  arguments are the input and output of `compute_output_shape`: shapes whose sizes may be `None`.

Both may return `None` if the value is unknown. If a layer does not have the methods, `summary` uses
the operations in its `call`, if that accepts symbolic tensors.

    >>> import keras
    >>> import kerascnn
    >>> class StridedSum(keras.layers.Layer):
    ...     '''The sum of a pixel and its right neighbor, for every second pixel.'''
    ...
    ...     def call(self, x):
    ...         return x[:, :, :-1:2] + x[:, :, 1::2]
    ...
    ...     def compute_window(self) -> Window:
    ...         return kerascnn.geometry.Window(size=(1, 2), strides=(1, 2))
    ...
    ...     def compute_multiply_adds(self, input_shape: Any, output_shape: Any) -> int:
    ...         return 0
    >>> model = keras.Sequential([keras.Input((8, 8, 3)), StridedSum()])
    >>> row = kerascnn.summary(model).rows[-1]
    >>> row.receptive_field, row.stride, row.multiply_adds
    ((1, 2), (1, 2), 0)
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from kerascnn.arguments import pair

__all__ = ["WHOLE_IMAGE", "Window", "WithoutProducts", "product", "refining", "sliding"]


# An int, or a pair `(height, width)` of ints.
Sizes = int | Sequence[int]


class Window(NamedTuple):
    """The input pixels that one output pixel depends on.

    By default this is the pixel at the same position, as in an elementwise layer.

    Args:
        size: pair `(height, width)` in input pixels; `math.inf` for the whole image, as in
            `WHOLE_IMAGE`.
        strides: pair `(height, width)`, the distance between neighboring output pixels in input
            pixels: ints, or fractions if the output has a higher resolution.
    """

    size: tuple[float, ...] = (1, 1)
    strides: tuple[int | Fraction, ...] = (1, 1)

    def then(self, window: "Window | tuple") -> "Window":
        """Returns the `Window` of this layer followed by a layer with `window`."""
        size, strides = window
        return Window(
            tuple(r + (k - 1) * j for r, k, j in zip(self.size, size, self.strides, strict=True)),
            tuple(j * s for j, s in zip(self.strides, strides, strict=True)),
        )


WHOLE_IMAGE = Window(size=(math.inf, math.inf))


def sliding(kernel_size: Sizes, strides: Sizes = 1, dilation_rate: Sizes = 1) -> Window:
    """Returns the `Window` of a convolution or pooling; every argument is an int or a pair."""
    kernel_size = pair(kernel_size, "kernel_size")
    dilation_rate = pair(dilation_rate, "dilation_rate")
    size = tuple((k - 1) * d + 1 for k, d in zip(kernel_size, dilation_rate, strict=True))
    return Window(size, pair(strides, "strides"))


def refining(factors: Sizes, kernel_size: Sizes = 1) -> Window:
    """Returns the `Window` of upsampling by `factors`, such as a transposed convolution.

    Args:
        factors: int or pair of ints, the upsampling factors of height and width.
        kernel_size: int or pair of ints, the number of output pixels that one input pixel affects.
    """
    factors = pair(factors, "factors")
    kernel_size = pair(kernel_size, "kernel_size")
    size = tuple(-(-k // factor) for k, factor in zip(kernel_size, factors, strict=True))
    return Window(size, tuple(Fraction(1, factor) for factor in factors))


class WithoutProducts:
    """A mixin for layers that move, compare or scale single elements; comes before `Layer`.

    They have no multiply-adds, and every pixel depends only on itself; layers that read other
    pixels override `compute_window`.
    """

    def compute_window(self) -> Window:
        """Returns the `Window` of one pixel."""
        return Window()

    def compute_multiply_adds(self, input_shape: Any, output_shape: Any) -> int:
        """Returns 0."""
        return 0


def product(*sizes: int | None) -> int | None:
    """Returns the product of sizes, or `None` if one of them is unknown."""
    known = [size for size in sizes if size is not None]
    return math.prod(known) if len(known) == len(sizes) else None


def __dir__():
    return __all__
