"""Upscaling of images of any size, compared with bicubic interpolation."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import keras
import numpy as np

from kerascnn.arguments import UsageError
from kerascnn.data.bicubic import REACH, downscale_bicubic, upscale_bicubic
from kerascnn.data.pixels import luminance
from kerascnn.data.upscaler_images import to_pixels, to_upscale, upscaled_image
from kerascnn.metrics.luminance import luminance_psnr, luminance_ssim
from kerascnn.models.summary import summary


@dataclass(frozen=True)
class Upscaler:
    """A function that upscales images, in place of a `keras.Model`.

    Args:
        factor: int.
        function: function of a uint8 array `(height, width, 3)` that returns a larger one.
    """

    factor: int
    function: Callable[[np.ndarray], np.ndarray]


def factor_of(model: keras.Model) -> int:
    """Returns the upscaling factor of a model.

    Args:
        model: `keras.Model` from images of any size with 1 or 3 channels (channels last) to images.

    Returns:
        int.

    Raises:
        ValueError: if the model has another input or output shape.

    Example:
        >>> import keras
        >>> import kerascnn
        >>> layers = [keras.Input((None, None, 1)), kerascnn.layers.SubpixelConv2D(1, 3, 3)]
        >>> kerascnn.inference.factor_of(keras.Sequential(layers))
        3
    """
    if isinstance(model, Upscaler):
        return model.factor
    shape = tuple(model.input_shape)
    if len(shape) == 4 and shape[1:3] == (None, None) and shape[3] in (1, 3):
        output = tuple(model.compute_output_shape((1, 64, 64, shape[3])))
        if output == (1, output[1], output[1], shape[3]) and output[1] % 64 == 0:
            return output[1] // 64
    raise UsageError(
        "`model` must upscale channels-last images of any size with 1 or 3 channels; "
        f"got a model from {shape} to {model.output_shape}."
    )


def upscale(model: keras.Model, image: np.ndarray, tile: int = 256) -> np.ndarray:
    """Upscales an image.

    Models with one channel upscale luminance; color is upscaled by bicubic interpolation. The image
    is processed in tiles that overlap by the receptive field, so the result is the same as for the
    whole image, with the memory of one tile. If the model has strides, tiles start at multiples of
    them; an image whose height or width is not a multiple is one tile, and what its padding adds to
    the output is cut off.

    Args:
        model: `keras.Model` from channels-last images of any size with 1 or 3 channels and values
            in [0, 1] to images that are larger by a factor; or `Upscaler`. If its receptive field
            is unknown (`kerascnn.summary`) or the whole image, there is one tile.
        image: uint8 array of shape `(height, width, channels)` with 1 or 3 channels.
        tile: int, size of a tile without its overlap.

    Returns:
        uint8 array of shape `(height * factor, width * factor, channels)`.

    Raises:
        ValueError: if the model or the image has another shape, or `tile` is below 1.

    Example:
        >>> import keras
        >>> import numpy as np
        >>> import kerascnn
        >>> layers = [keras.Input((None, None, 1)), kerascnn.layers.SubpixelConv2D(1, 3, 3)]
        >>> image = np.zeros((20, 30, 3), "uint8")
        >>> kerascnn.inference.upscale(keras.Sequential(layers), image).shape
        (60, 90, 3)
    """
    factor = factor_of(model)
    if image.ndim != 3 or image.shape[2] not in (1, 3) or image.dtype != np.uint8:
        raise UsageError(
            "`image` must be a uint8 array of shape (height, width, channels) with 1 or 3 "
            f"channels; got {image.dtype} of shape {image.shape}."
        )
    if tile < 1:
        raise UsageError(f"`tile` must be at least 1; got tile={tile}.")
    height, width, channels = image.shape
    overlap, step = _reach(model)
    if overlap is None or height % step or width % step:
        tile, overlap, step = max(height, width), 0, 1
    tile, overlap = (step * -(-pixels // step) for pixels in (tile, overlap))
    output = np.empty((height * factor, width * factor, channels), np.uint8)
    for top in range(0, height, tile):
        for left in range(0, width, tile):
            rows = slice(max(0, top - overlap), top + tile + overlap)
            columns = slice(max(0, left - overlap), left + tile + overlap)
            part = _upscaled(model, image[rows, columns], factor)
            y, x = factor * (top - rows.start), factor * (left - columns.start)
            target = output[top * factor :, left * factor :][: tile * factor, : tile * factor]
            target[:] = part[y:, x:][: target.shape[0], : target.shape[1]]
    return output


def _reach(model):
    """Returns the reach of the receptive field in pixels, and the common multiple of all strides.

    The reach is `None` if it is unknown or unlimited.
    """
    if isinstance(model, Upscaler):
        return None, 1
    rows = summary(model).rows
    field = rows[-1].receptive_field
    if field is None or math.inf in field:
        return None, 1
    strides = [Fraction(side).numerator for row in rows if row.stride for side in row.stride]
    # Half of an even receptive field would be too small, and the reported field is rounded.
    return max(REACH, max(field) // 2 + 1), math.lcm(*strides)


def _upscaled(model, part, factor):
    color = np.repeat(part, 3, axis=-1) if part.shape[-1] == 1 else part
    if isinstance(model, Upscaler):
        upscaled = model.function(color)
    else:
        given = to_upscale(color[np.newaxis], model.input_shape[-1])
        outputs: Any = keras.ops.convert_to_numpy(model.predict_on_batch(np.asarray(given)))
        height, width = (factor * side for side in part.shape[:2])
        if outputs.shape[1] < height or outputs.shape[2] < width:
            raise UsageError(
                f"`model` must enlarge every image by {factor}; got "
                f"{outputs.shape[1]}x{outputs.shape[2]} pixels for {part.shape[0]}x{part.shape[1]}."
            )
        outputs = outputs[:, :height, :width]  # padding for strides may have added some
        upscaled = upscaled_image(outputs, color[np.newaxis], factor)[0].numpy()
    if part.shape[-1] == 1:
        return luminance(upscaled.astype(np.int32)).astype(np.uint8)
    return upscaled


@dataclass(frozen=True)
class Upscaling:
    """An image that was downscaled and upscaled again, and the original.

    Args:
        truth: uint8 array of shape `(height, width, channels)`, the image, cropped to a multiple
            of the factor.
        low: uint8 array, the downscaled image.
        bicubic: uint8 array of the shape of `truth`, the result of bicubic interpolation.
        upscaled: uint8 array of the shape of `truth`, the result of the model.
    """

    truth: np.ndarray
    low: np.ndarray
    bicubic: np.ndarray
    upscaled: np.ndarray

    @property
    def factor(self) -> int:
        """int, the downscaling factor."""
        return self.truth.shape[0] // self.low.shape[0]

    def metrics(self) -> dict[str, Any]:
        """Returns the metrics of both results, without a border of `factor` pixels.

        Returns:
            dict: `psnr` and `ssim` of the model, `bicubic_psnr` and `bicubic_ssim`; see
            `luminance_psnr` and `luminance_ssim`.
        """
        outputs = {"": self.upscaled, "bicubic_": self.bicubic}
        return {
            f"{name}{metric}": measure(self.truth, output, self.factor)
            for name, output in outputs.items()
            for metric, measure in (("psnr", luminance_psnr), ("ssim", luminance_ssim))
        }


def compare_with_bicubic(model: keras.Model, image: np.ndarray) -> Upscaling:
    """Downscales an image by a model's factor and upscales it again.

    Args:
        model: `keras.Model` as for `upscale`.
        image: uint8 array of shape `(height, width, 3)`.

    Returns:
        `Upscaling`.

    Raises:
        ValueError: if the model or the image has another shape, or the image is smaller than the
            factor.

    Example:
        >>> import numpy as np
        >>> import kerascnn
        >>> model = kerascnn.models.create_model("espcn_x2")
        >>> found = kerascnn.inference.compare_with_bicubic(model, np.zeros((20, 31, 3), "uint8"))
        >>> found.truth.shape, found.low.shape
        ((20, 30, 3), (10, 15, 3))
    """
    low, truth = downscale_bicubic(image, factor_of(model))
    bicubic = to_pixels(upscale_bicubic(low[np.newaxis] / np.float32(255), factor_of(model)))
    return Upscaling(truth, low, bicubic[0].numpy(), upscale(model, low))
