"""Converts images to inputs of upscaling models, and outputs back to images."""

import tensorflow as tf

from kerascnn.data.bicubic import upscale_bicubic
from kerascnn.data.pixels import scale

# ITU-R 601, the Y of YCbCr
_LUMINANCE = (0.299, 0.587, 0.114)


def to_upscale(images, channels):
    """Returns the input of an upscaling model: the luminance of images, or their full color.

    Args:
        images: uint8 tensor of shape `(batch, height, width, 3)`.
        channels: 1 for the luminance, `0.299 R + 0.587 G + 0.114 B`, or 3.

    Returns:
        float32 tensor of shape `(batch, height, width, channels)` in [0, 1].
    """
    color = scale(images)
    return color if channels == 3 else _luminance(color)


def upscaled_image(outputs, images, factor):
    """Converts the output of an upscaling model to an image.

    If the output is luminance, color is upscaled by bicubic interpolation: `Cb` and `Cr` are
    upscaled and `Y` comes from the model. Since `RGB - Y` depends only on `Cb` and `Cr`, this
    equals the bicubic image plus the difference between the output and the luminance of the bicubic
    image.

    Args:
        outputs: float tensor of shape `(batch, height * factor, width * factor, channels)` with
            1 or 3 channels.
        images: uint8 tensor of shape `(batch, height, width, 3)`, the input.
        factor: int.

    Returns:
        uint8 tensor of shape `(batch, height * factor, width * factor, 3)`.
    """
    outputs = tf.cast(outputs, tf.float32)
    if outputs.shape[-1] == 1:
        color = upscale_bicubic(scale(images), factor)
        outputs = color + (outputs - _luminance(color))
    return to_pixels(outputs)


def to_pixels(images):
    """Converts values in [0, 1] to uint8; values outside are clipped."""
    return tf.cast(tf.round(255.0 * tf.clip_by_value(images, 0.0, 1.0)), tf.uint8)


def _luminance(color):
    red, green, blue = _LUMINANCE
    return red * color[..., :1] + green * color[..., 1:2] + blue * color[..., 2:]
