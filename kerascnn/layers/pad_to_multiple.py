"""Padding of images to sizes that a model can halve repeatedly."""

from typing import Any

import keras

from kerascnn import ops
from kerascnn.geometry import Sizes, WithoutProducts
from kerascnn.ops.pad_to_multiple import check_padding, pad_to_multiple2d_shape
from kerascnn.ops.shapes import standardize_data_format


@keras.saving.register_keras_serializable(package="kerascnn")
class PadToMultiple2D(WithoutProducts, keras.layers.Layer):
    """Pads height and width to the next size with a given remainder modulo `multiple`.

    A side of `size` pixels becomes the smallest `n >= size + 2 * margin` with
    `n % multiple == remainder`. With `y[i] = x[i - margin]` along each axis, positions outside the
    image are zero, or reflected at the border pixels as often as needed: `x[-i] = x[i]`,
    `x[size - 1 + i] = x[size - 1 - i]`. `CropLike2D` removes the padding.

    Args:
        multiple: int or pair of ints, at least 1.
        margin: int or pair of ints, at least 0: padding before; the rest is added after.
        remainder: int or pair of ints, from 0 to `multiple - 1`.
        mode: `"reflect"` or `"zeros"`.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.
        **kwargs: `name`, `dtype` and so on.

    Call arguments:
        inputs: tensor of rank 4.

    Input shape:
        `(batch, height, width, channels)`, or channels first.

    Output shape:
        `(batch, padded_height, padded_width, channels)`, or channels first.

    Raises:
        ValueError: if an argument is invalid.

    Reference:
        the mirrored margin: [Ronneberger et al., 2015](https://arxiv.org/abs/1505.04597), figure 2

    Example:
        >>> import keras
        >>> import kerascnn
        >>> tuple(kerascnn.layers.PadToMultiple2D(32)(keras.ops.ones((1, 65, 10, 3))).shape)
        (1, 96, 32, 3)
    """

    def __init__(
        self,
        multiple: Sizes,
        margin: Sizes = 0,
        remainder: Sizes = 0,
        mode: str = "reflect",
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.multiple, self.margin, self.remainder = check_padding(
            multiple, margin, remainder, mode
        )
        self.mode = mode
        self.data_format = standardize_data_format(data_format)

    @property
    def _arguments(self):
        return {
            "multiple": self.multiple,
            "margin": self.margin,
            "remainder": self.remainder,
            "mode": self.mode,
            "data_format": self.data_format,
        }

    def build(self, input_shape: Any) -> None:
        self.compute_output_shape(input_shape)

    def call(self, inputs: Any) -> Any:
        return ops.pad_to_multiple2d(inputs, **self._arguments)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        return pad_to_multiple2d_shape(input_shape, **self._arguments)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self._arguments}
