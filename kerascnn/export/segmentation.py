"""What an exported segmentation model computes."""

import numpy as np
import tensorflow as tf

from kerascnn.arguments import UsageError
from kerascnn.data.pixels import rescale, scale, scaled_size, to_channels
from kerascnn.export.serving import ExportError, Serving, check_close
from kerascnn.inference.segmentation import segment

# Of larger images, the upper left part is enough for a comparison.
_LARGEST = 512


def segmentation_serving(model, values=None, factor=1.0, class_names=None):
    """Returns what an exported segmentation model computes, for `export`.

    Its outputs are `mask` (uint8, `(batch, height, width)`), the value of the most probable class
    of every pixel, and `probabilities` (float32, `(batch, height, width, classes)`), at the size of
    the images.

    Args:
        model: `keras.Model` from images of any size with values in [0, 1] to logits.
        values: the value of each class in a mask; by default their numbers.
        factor: float, by which the model wants images resized.
        class_names: optional names by the value in a mask, also of classes that are not scored;
            the metadata list them.

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
            f"`values` must have one for each of the {classes} classes of the model; "
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
        pixels = to_channels(tf.constant(image), channels).numpy()
        # One tile: the export does not cut an image either.
        tile = 128 * (1 + max(scaled_size(pixels.shape[:2], factor)) // 128)
        expected = np.concatenate(list(segment(model, pixels, factor, tile)))
        worst = check_close(model, found["probabilities"], expected, tolerance)
        most_probable = np.array(values)[found["probabilities"].argmax(axis=-1)]
        if not (found["mask"] == most_probable).all():
            raise ExportError("The export gives pixels another value than that of their class.")
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
