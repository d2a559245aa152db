"""Inputs and outputs of exported autoencoders."""

import keras
import numpy as np
import tensorflow as tf

from kerascnn.arguments import UsageError
from kerascnn.data.pixels import prepare, to_channels
from kerascnn.export.gray_levels import check_gray_levels
from kerascnn.export.serving import Serving


def reconstruction_serving(model: keras.Model) -> Serving:
    """Returns the `serving` argument of `export` for an autoencoder.

    Its output is `images`, uint8 of the model's output shape. Images of any size are resized to the
    model's input size.

    Args:
        model: `keras.Model` from images of a known size with values in [0, 1] to such images.

    Returns:
        `Serving`.

    Raises:
        ValueError: if the model's input is not images of a known size, or its output has another
            shape.

    Example:
        >>> import kerascnn
        >>> model = kerascnn.models.create_model("autoencoder")
        >>> kerascnn.export.reconstruction_serving(model).metadata["image"]
        'images'
    """
    shape = tuple(model.input_shape[1:])
    if len(shape) != 3 or None in shape or tuple(model.output_shape[1:]) != shape:
        raise UsageError(
            "`model` must take images of a known size and return images of the same shape; "
            f"got a model from {model.input_shape} to {model.output_shape}."
        )
    height, width, channels = shape

    def outputs(network, images):
        found = tf.cast(network(images), tf.float32)
        return {"images": tf.cast(tf.round(tf.clip_by_value(found, 0, 1) * 255), tf.uint8)}

    def check(image, found, tolerance=None):
        pixels = prepare(to_channels(tf.constant(image), channels), (height, width))
        output = keras.ops.convert_to_numpy(model(pixels[tf.newaxis], training=False))[0]
        expected = np.round(np.clip(output, 0, 1) * 255).astype(np.uint8)
        return check_gray_levels(model, found["images"], expected, tolerance)

    return Serving(
        channels,
        outputs,
        check,
        size=(height, width),
        metadata={"task": "reconstruction", "image": "images", "image_shape": list(shape)},
        unit="gray levels",
    )
