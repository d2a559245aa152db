"""From the pixels of a picture to the input of an upscaling model, and back from its answer."""

import tensorflow as tf

from kerascnn.data.bicubic import enlarged
from kerascnn.data.pixels import scale

# ITU-R 601, the Y of YCbCr
_LUMINANCE = (0.299, 0.587, 0.114)


def to_upscale(images, channels):
    """What a model is given of pictures: their luminance, or all of their color.

    Args:
        images: uint8 tensor of shape `(batch, height, width, 3)`.
        channels: 1 for the luminance, `0.299 R + 0.587 G + 0.114 B`, or 3.

    Returns:
        float32 tensor of shape `(batch, height, width, channels)` with values from 0 to 1.
    """
    color = scale(images)
    return color if channels == 3 else _luminance(color)


def upscaled_picture(answers, images, factor):
    """The picture that a model's answer makes.

    If the answer is luminance, color is enlarged by bicubic interpolation. With `Cb` and `Cr`
    enlarged and `Y` from the model, red, green and blue are those of the enlarged picture plus the
    difference of the answer and its luminance: `RGB - Y` depends on `Cb` and `Cr` alone.

    Args:
        answers: float tensor of shape `(batch, height * factor, width * factor, channels)` with
            1 or 3 channels.
        images: uint8 tensor of shape `(batch, height, width, 3)`, what was upscaled.
        factor: int.

    Returns:
        uint8 tensor of shape `(batch, height * factor, width * factor, 3)`.
    """
    answers = tf.cast(answers, tf.float32)
    if answers.shape[-1] == 1:
        color = enlarged(scale(images), factor)
        answers = color + (answers - _luminance(color))
    return to_pixels(answers)


def to_pixels(images):
    """Values from 0 to 1, and what overshoots them, as uint8."""
    return tf.cast(tf.round(255.0 * tf.clip_by_value(images, 0.0, 1.0)), tf.uint8)


def _luminance(color):
    red, green, blue = _LUMINANCE
    return red * color[..., :1] + green * color[..., 1:2] + blue * color[..., 2:]
