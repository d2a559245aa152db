"""Export of a classifier to TensorFlow's SavedModel."""

import keras
import numpy as np
import tensorflow as tf

from kerascnn.data.pixels import prepare, to_channels
from kerascnn.export.decode import decode_image
from kerascnn.export.real_images import real_images
from kerascnn.export.versions import ExportError, check_backend, tolerance_of, write_version


def export(model, path, class_names=None, images=()):
    """Writes a classifier as a SavedModel that takes images as they come off disk.

    The SavedModel carries its preprocessing and class names and needs neither Keras nor kerascnn.
    Its signatures:

    - `serving_default`: `images`, uint8 of shape `(batch, height, width, channels)`, any height
      and width, and 1, 3 or 4 (RGBA) channels;
    - `encoded_images`: `encoded_images`, string of shape `(batch,)`, each the bytes of a PNG or
      JPEG file.

    Both give `probabilities` (float32, `(batch, classes)`), `class_id` (int64, `(batch,)`) and
    `class_name` (string, `(batch,)`). What was written is loaded in a fresh process and compared
    with the model on real images; it stays only if it answers the same.

    Args:
        model: `keras.Model` from images of a known size with values from 0 to 1 to logits.
        path: folder of the versions, as TensorFlow Serving wants it; the model is written into
            its next free number, at first `path/1`.
        class_names: names of the classes; by default their numbers.
        images: further uint8 images `(height, width, channels)` to compare on.

    Returns:
        `pathlib.Path` of the version's folder.

    Raises:
        ValueError: if the model takes no images of a known size, or the number of names is wrong.
        ExportError: if the SavedModel answers otherwise than the model.
    """
    check_backend()
    if len(model.input_shape) != 4 or None in model.input_shape[1:]:
        raise ValueError(
            "`model` must take images of a known height, width and number of channels; "
            f"got input shape {model.input_shape}."
        )
    classes = model.output_shape[-1]
    class_names = [str(i) for i in range(classes)] if class_names is None else list(class_names)
    if len(class_names) != classes:
        raise ValueError(
            f"`class_names` must name all {classes} classes of the model; "
            f"got {len(class_names)} names."
        )
    height, width, channels = model.input_shape[1:]
    names = tf.constant(class_names)

    def answers(pixels):
        probabilities = tf.nn.softmax(tf.cast(model(pixels, training=False), tf.float32))
        class_id = tf.argmax(probabilities, axis=-1)
        return {
            "probabilities": probabilities,
            "class_id": class_id,
            "class_name": tf.gather(names, class_id),
        }

    def on_images(images):
        return answers(prepare(to_channels(images, channels), (height, width)))

    def on_encoded_images(encoded_images):
        pixels = tf.map_fn(
            lambda encoded: prepare(decode_image(encoded, channels), (height, width)),
            encoded_images,
            fn_output_signature=tf.TensorSpec((height, width, channels), tf.float32),
        )
        return answers(pixels)

    return write_version(
        path,
        model,
        on_images,
        on_encoded_images,
        [*real_images(), *images],
        lambda image, answer: _check(model, class_names, image, answer),
    )


def _check(model, class_names, image, answer):
    pixels = prepare(to_channels(tf.constant(image), model.input_shape[3]), model.input_shape[1:3])
    logits = keras.ops.convert_to_numpy(model(pixels[tf.newaxis], training=False))[0]
    expected = np.exp(logits - logits.max(), dtype=np.float64)
    worst = np.abs(answer["probabilities"] - expected / expected.sum()).max()
    if not worst <= tolerance_of(model):
        raise ExportError(
            "The SavedModel must answer as the model does, within a difference of "
            f"{tolerance_of(model):g} in probability; got {worst:g}."
        )
    if answer["class_name"] != class_names[answer["class_id"]]:
        raise ExportError(f"The SavedModel gives a class the wrong name: {answer}.")
