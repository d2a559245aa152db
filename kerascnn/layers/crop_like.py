"""Cropping of images to the size of other images."""

from typing import Any

import keras

from kerascnn import ops
from kerascnn.geometry import Sizes, WithoutProducts
from kerascnn.ops.crop_like import crop_like2d_shape
from kerascnn.ops.pad_to_multiple import natural_pair
from kerascnn.ops.shapes import standardize_data_format


@keras.saving.register_keras_serializable(package="kerascnn")
class CropLike2D(WithoutProducts, keras.layers.Layer):
    """Crops images to the height and width of other images.

    `y[h, w] = x[h + offset, w + offset]`; an offset of 0 reverses `PadToMultiple2D`.

    Args:
        offset: int or pair of ints, at least 0: rows and columns to crop at the top and left.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.
        **kwargs: `name`, `dtype` and so on.

    Call arguments:
        inputs: list `[x, like]` of two tensors of rank 4; only the height and width of `like` are
            used.

    Input shape:
        `(batch, height, width, channels)` for both, or channels first.

    Output shape:
        `(batch, like_height, like_width, channels)`, or channels first.

    Raises:
        ValueError: if `like` is larger than the input minus `offset`.

    Reference:
        the cropped skips of [Ronneberger et al., 2015](https://arxiv.org/abs/1505.04597)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> x, like = keras.ops.ones((2, 8, 8, 5)), keras.ops.ones((2, 7, 6, 3))
        >>> tuple(kerascnn.layers.CropLike2D()([x, like]).shape)
        (2, 7, 6, 5)
    """

    def __init__(self, offset: Sizes = 0, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.offset = natural_pair(offset, "offset")
        self.data_format = standardize_data_format(data_format)

    def build(self, input_shape: Any) -> None:
        self.compute_output_shape(input_shape)

    def call(self, inputs: Any) -> Any:
        x, like = inputs
        return ops.crop_like2d(x, like, self.offset, self.data_format)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        shape, like_shape = input_shape
        return crop_like2d_shape(shape, like_shape, self.offset, self.data_format)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "offset": self.offset, "data_format": self.data_format}
