"""Cropping of images to the size of other images."""

from typing import Any

from keras import ops

from kerascnn.geometry import Sizes, Window
from kerascnn.ops.pad_to_multiple import natural_pair
from kerascnn.ops.shapes import image_shape, in_format, standardize_data_format
from kerascnn.ops.symbolic import symbolic


def crop_like2d_shape(
    shape: Any, like_shape: Any, offset: Sizes = 0, data_format: str | None = None
) -> tuple[Any, ...]:
    """Returns the output shape of `crop_like2d`, and checks its arguments."""
    offset = natural_pair(offset, "offset")
    data_format = standardize_data_format(data_format)
    batch, *sizes, channels = image_shape(shape, data_format)
    cropped = image_shape(like_shape, data_format, "like")[1:3]
    if any(
        None not in (size, part) and before + part > size
        for size, part, before in zip(sizes, cropped, offset, strict=True)
    ):
        raise ValueError(
            "`like` must not be higher or wider than the input minus `offset`; "
            f"got shape {tuple(like_shape)} with offset={offset} and input shape {tuple(shape)}."
        )
    return in_format(batch, *cropped, channels, data_format)


@symbolic(crop_like2d_shape, tensors=2, window=Window())
def crop_like2d(x: Any, like: Any, offset: Sizes = 0, data_format: str | None = None) -> Any:
    """Crops images to the height and width of other images.

    `y[h, w] = x[h + offset, w + offset]`.

    Args:
        x: tensor of shape `(batch, height, width, channels)`, or channels first.
        like: tensor of rank 4 with the height and width of the output.
        offset: int or pair of ints, at least 0: rows and columns to crop at the top and left.
        data_format: `"channels_last"` or `"channels_first"`; by default Keras's own setting.

    Returns:
        tensor of shape `(batch, like_height, like_width, channels)`, or channels first.

    Raises:
        ValueError: if `like` is larger than the input minus `offset`.

    Reference:
        the cropped skips of [Ronneberger et al., 2015](https://arxiv.org/abs/1505.04597)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> x, like = keras.ops.ones((2, 8, 8, 5)), keras.ops.ones((2, 7, 6, 3))
        >>> tuple(kerascnn.ops.crop_like2d(x, like).shape)
        (2, 7, 6, 5)
    """
    crop_like2d_shape(x.shape, like.shape, offset, data_format)
    data_format = standardize_data_format(data_format)
    x = ops.convert_to_tensor(x)
    sizes = image_shape(ops.shape(like), data_format)[1:3]
    rows, columns = (
        slice(before, before + size)
        for before, size in zip(natural_pair(offset, "offset"), sizes, strict=True)
    )
    return x[in_format(slice(None), rows, columns, slice(None), data_format)]
