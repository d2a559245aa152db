"""Inputs and outputs of exported segmentation models."""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from kerascnn.arguments import UsageError
from kerascnn.data.pixels import rescale, scale, scaled_size, to_channels
from kerascnn.export.serving import ExportError, Serving, check_close
from kerascnn.inference.segmentation import segment

# For larger images, the upper left part is enough for a comparison.
_LARGEST = 512


def segmentation_serving(
    model: keras.Model,
    values: Sequence[int] | np.ndarray | None = None,
    factor: float = 1.0,
    class_names: Sequence[str] | None = None,
) -> Serving:
    """Returns the `serving` argument of `export` for a segmentation model.

    Its outputs are `mask` (uint8, `(batch, height, width)`), the mask value of the most probable
    class of every pixel, and `probabilities` (float32, `(batch, height, width, classes)`), both at
    the size of the images.

    Args:
        model: `keras.Model` from images of any size with values in [0, 1] to logits.
        values: the mask value of each class; by default the class index.
        factor: float, factor to resize images by before the model.
        class_names: optional names by mask value, including classes that are not scored; stored in
            the metadata.

    Returns:
        `Serving`.

    Raises:
        ValueError: if the model does not take images of any size, or the number of values is wrong.

    Example:
        >>> import kerascnn
        >>> model = kerascnn.models.create_model("unet", (None, None, 3), 5, width=4)
        >>> kerascnn.export.segmentation_serving(model).metadata["task"]
        'segmentation'
    """
    if len(model.input_shape) != 4 or model.input_shape[1:3] != (None, None):
        raise UsageError(
            "`model` must take images of any height and width; "
            f"got input shape {model.input_shape}."
        )
    channels, classes = model.input_shape[3], model.output_shape[-1]
    values = list(range(classes)) if values is None else list(map(int, values))
    if len(values) != classes:
        raise UsageError(
            f"`values` must have one value for each of the {classes} classes of the model; "
            f"got {len(values)}."
        )
    table = tf.constant(values, tf.uint8)

    def outputs(network, images):
        logits = network(scale(rescale(images, factor)))
        probabilities = tf.nn.softmax(tf.cast(logits, tf.float32))
        if factor != 1:
            probabilities = tf.image.resize(probabilities, tf.shape(images)[1:3])
        return {
            "mask": tf.gather(table, tf.argmax(probabilities, axis=-1)),
            "probabilities": probabilities,
        }

    def check(image, found, tolerance=None):
        pixels = to_channels(image, channels)
        # One tile: the exported model does not split images either.
        tile = 128 * (1 + max(scaled_size(pixels.shape[:2], factor)) // 128)  # pyright: ignore[reportArgumentType]
        expected = np.concatenate(list(segment(model, pixels, factor, tile)))
        worst = check_close(model, found["probabilities"], expected, tolerance)
        most_probable = np.array(values)[found["probabilities"].argmax(axis=-1)]
        if not (found["mask"] == most_probable).all():
            raise ExportError("The mask of the exported model does not match its classes.")
        return worst

    metadata = {"task": "segmentation", "image": "mask", "values": values}
    if class_names is not None:
        metadata["class_names"] = list(class_names)
    return Serving(
        channels,
        outputs,
        check,
        metadata=metadata,
        largest=_LARGEST,
    )
