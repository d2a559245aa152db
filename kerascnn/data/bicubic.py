"""Bicubic downscaling and upscaling of images, as in the evaluation of upscaling models."""

from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image

from kerascnn.arguments import UsageError, at_least_one


def downscale_bicubic(image: np.ndarray, factor: int) -> tuple[np.ndarray, np.ndarray]:
    """Crops an image to a multiple of a factor and downscales it by the factor.

    Uses bicubic interpolation with antialiasing, as in Pillow and in MATLAB's `imresize`, which
    papers on super-resolution use to make their low-resolution images.

    Args:
        image: uint8 array of shape `(height, width, 3)`.
        factor: int, at least 1.

    Returns:
        `(low, high)`: uint8 arrays `(height // factor, width // factor, 3)` and the cropped
        image, which is `factor` times as high and wide.

    Raises:
        UsageError: if the image is smaller than the factor.

    Example:
        >>> import numpy as np
        >>> import kerascnn
        >>> low, high = kerascnn.data.downscale_bicubic(np.zeros((20, 31, 3), "uint8"), 3)
        >>> low.shape, high.shape
        ((6, 10, 3), (18, 30, 3))
    """
    height, width = (size // at_least_one(factor, "factor") for size in image.shape[:2])
    if not height or not width:
        raise UsageError(
            "`image` must be at least as high and wide as the factor; "
            f"got factor={factor} with shape {image.shape}."
        )
    high = image[: height * factor, : width * factor]
    low = Image.fromarray(high).resize((width, height), Image.Resampling.BICUBIC)
    return np.asarray(low), high


def upscale_bicubic(images: Any, factor: int) -> Any:
    """Upscales images by bicubic interpolation.

    Output pixel `factor * n + p` of a row lies at `n + d`, `d = (p + 0.5) / factor - 0.5`, and is
    the sum over `k` from -2 to 2 of `cubic(k - d) * x[n + k]`, where `cubic` is Keys's kernel with
    `a = -0.5`. At the borders, pixels outside the image are left out and the weights are scaled to
    a sum of 1, as in Pillow. Columns follow the same formula. An output pixel depends only on the
    5x5 input pixels around it, also in rounding, so a part of an image gives the same pixels as the
    whole image.

    Args:
        images: float32 tensor of shape `(batch, height, width, channels)`.
        factor: int, at least 1.

    Returns:
        float32 tensor of shape `(batch, height * factor, width * factor, channels)`, whose values
        may overshoot the range of the input.

    Reference:
        [Keys, 1981](https://doi.org/10.1109/TASSP.1981.1163711)

    Example:
        >>> import tensorflow as tf
        >>> import kerascnn
        >>> tuple(kerascnn.data.upscale_bicubic(tf.ones((1, 4, 5, 3)), 3).shape)
        (1, 12, 15, 3)
    """
    weights = _weights(at_least_one(factor, "factor"))
    for axis in (1, 2):
        inside = tf.ones_like(images[:1, :, :1, :1] if axis == 1 else images[:1, :1, :, :1])
        images = _weighted(images, weights, axis) / _weighted(inside, weights, axis)
    return images


REACH = 2  # an output pixel depends on this many pixels on each side


def _weights(factor):
    """Float array of shape `(5, factor)`: the weights for each position in a block."""
    place = (np.arange(factor) + 0.5) / factor - 0.5
    distance = np.abs(np.arange(-REACH, REACH + 1)[:, np.newaxis] - place)
    near = 1.5 * distance**3 - 2.5 * distance**2 + 1
    far = -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2
    return np.where(distance < 1, near, np.where(distance < 2, far, 0)).astype(np.float32)


def _weighted(images, weights, axis):
    padding = [[0, 0]] * 4
    padding[axis] = [REACH, REACH]
    padded = tf.pad(images, padding)
    size = tf.shape(images)[axis]
    moved = [padded[:, i : i + size] for i in range(len(weights))]
    if axis == 2:
        moved = [padded[:, :, i : i + size] for i in range(len(weights))]
    phases = [
        tf.add_n([weight * image for weight, image in zip(column, moved, strict=True)])
        for column in weights.T
    ]
    blocks = tf.stack(phases, axis=axis + 1)
    shape = tf.shape(images)
    larger = tf.concat([shape[:axis], [size * weights.shape[1]], shape[axis + 1 :]], axis=0)
    return tf.reshape(blocks, larger)
