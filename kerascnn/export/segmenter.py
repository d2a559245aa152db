"""Export of a segmentation model to TensorFlow's SavedModel."""

import numpy as np
import tensorflow as tf

from kerascnn.data.pixels import rescale, scale, scaled_size, to_channels
from kerascnn.export.decode import decode_image
from kerascnn.export.real_images import real_images
from kerascnn.export.versions import ExportError, check_backend, tolerance_of, write_version
from kerascnn.training.segment import segment

# Of larger images, the upper left part is enough for a comparison.
_LARGEST = 512


def export_segmenter(model, path, values=None, factor=1.0, images=()):
    """Writes a segmentation model as a SavedModel that takes images as they come off disk.

    The SavedModel carries its preprocessing and needs neither Keras nor kerascnn. Its signatures:

    - `serving_default`: `images`, uint8 of shape `(batch, height, width, channels)`, any height
      and width, and 1, 3 or 4 (RGBA) channels;
    - `encoded_images`: `encoded_images`, string of shape `(batch,)`, each the bytes of a PNG or
      JPEG file, all of one size.

    Both give `mask` (uint8, `(batch, height, width)`), the value of the likeliest class of every
    pixel, and `probabilities` (float32, `(batch, height, width, classes)`), at the size of the
    images. What was written is loaded in a fresh process and compared with the model on real
    images; it stays only if it answers the same.

    Args:
        model: `keras.Model` from images of any size with values from 0 to 1 to logits.
        path: folder of the versions, as TensorFlow Serving wants it; the model is written into
            its next free number, at first `path/1`.
        values: the value of each class in a mask; by default their numbers.
        factor: float, by which the model wants images resized.
        images: further uint8 images `(height, width, channels)` to compare on.

    Returns:
        `pathlib.Path` of the version's folder.

    Raises:
        ValueError: if the model takes no images of any size, or the number of values is wrong.
        ExportError: if the SavedModel answers otherwise than the model.
    """
    check_backend()
    if len(model.input_shape) != 4 or model.input_shape[1:3] != (None, None):
        raise ValueError(
            "`model` must take images of any height and width; "
            f"got input shape {model.input_shape}."
        )
    channels, classes = model.input_shape[3], model.output_shape[-1]
    values = list(range(classes)) if values is None else list(values)
    if len(values) != classes:
        raise ValueError(
            f"`values` must have one for each of the {classes} classes of the model; "
            f"got {len(values)}."
        )
    table = tf.constant(values, tf.uint8)

    def on_images(images):
        images = to_channels(images, channels)
        logits = model(scale(rescale(images, factor)), training=False)
        probabilities = tf.nn.softmax(tf.cast(logits, tf.float32))
        if factor != 1:
            probabilities = tf.image.resize(probabilities, tf.shape(images)[1:3])
        return {
            "mask": tf.gather(table, tf.argmax(probabilities, axis=-1)),
            "probabilities": probabilities,
        }

    def on_encoded_images(encoded_images):
        return on_images(
            tf.map_fn(
                lambda encoded: decode_image(encoded, channels),
                encoded_images,
                fn_output_signature=tf.TensorSpec((None, None, channels), tf.uint8),
            )
        )

    return write_version(
        path,
        model,
        on_images,
        on_encoded_images,
        [*real_images(), *(image[:_LARGEST, :_LARGEST] for image in images)],
        lambda image, answer: _check(model, values, factor, image, answer),
    )


def _check(model, values, factor, image, answer):
    pixels = to_channels(tf.constant(image), model.input_shape[3]).numpy()
    # One tile: the export does not cut an image either.
    tile = 128 * (1 + max(scaled_size(pixels.shape[:2], factor)) // 128)
    expected = np.concatenate(list(segment(model, pixels, factor, tile)))
    worst = np.abs(answer["probabilities"] - expected).max()
    if not worst <= tolerance_of(model):
        raise ExportError(
            "The SavedModel must answer as the model does, within a difference of "
            f"{tolerance_of(model):g} in probability; got {worst:g}."
        )
    likeliest = np.array(values)[answer["probabilities"].argmax(axis=-1)]
    if not (answer["mask"] == likeliest).all():
        raise ExportError("The SavedModel gives pixels another value than that of their class.")
