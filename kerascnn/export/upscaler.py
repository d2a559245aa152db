"""Export of an upscaling model to TensorFlow's SavedModel."""

import numpy as np
import tensorflow as tf

from kerascnn.data.pixels import to_channels
from kerascnn.data.upscaler_images import to_upscale, upscaled_image
from kerascnn.export.decode import decode_image
from kerascnn.export.real_images import real_images
from kerascnn.export.versions import ExportError, check_backend, tolerance_of, write_version
from kerascnn.training.upscaling import factor_of, upscale


def export_upscaler(model, path, images=()):
    """Writes an upscaling model as a SavedModel that takes images as they come off disk.

    The SavedModel does all that `kerascnn.training.upscale` does, in the same operations, but for
    the tiles, and needs neither Keras nor kerascnn. Its signatures:

    - `serving_default`: `images`, uint8 of shape `(batch, height, width, channels)`, any height
      and width, and 1, 3 or 4 (RGBA, put on white) channels;
    - `encoded_images`: `encoded_images`, string of shape `(batch,)`, each the bytes of a PNG or
      JPEG file, all of pictures of one size.

    Both give `images`, uint8 of shape `(batch, height * factor, width * factor, 3)`. What was
    written is loaded in a fresh process and compared with `upscale` on real images; it stays only
    if it answers the same.

    Args:
        model: `keras.Model` as for `kerascnn.training.upscale`.
        path: folder of the versions, as TensorFlow Serving wants it; the model is written into
            its next free number, at first `path/1`.
        images: further uint8 images `(height, width, channels)` to compare on.

    Returns:
        `pathlib.Path` of the version's folder.

    Raises:
        ValueError: if it is no model that upscales.
        ExportError: if the SavedModel answers otherwise than the model.
    """
    check_backend()
    factor, channels = factor_of(model), model.input_shape[-1]

    def answers(pictures):
        given = to_upscale(pictures, channels)
        return {"images": upscaled_image(model(given, training=False), pictures, factor)}

    def on_images(images):
        return answers(to_channels(images, 3))

    def on_encoded_images(encoded_images):
        return answers(
            tf.map_fn(
                lambda encoded: decode_image(encoded, 3),
                encoded_images,
                fn_output_signature=tf.TensorSpec((None, None, 3), tf.uint8),
            )
        )

    return write_version(
        path,
        model,
        on_images,
        on_encoded_images,
        [*real_images(), *images],
        lambda image, answer: _check(model, image, answer),
    )


def _check(model, image, answer):
    color = to_channels(tf.constant(image), 3).numpy()
    difference = np.abs(upscale(model, color).astype(int) - answer["images"])
    # What lies between two gray levels may be rounded to either of them.
    allowed = 1 + 255 * tolerance_of(model)
    rounded_otherwise = np.mean(difference > 0)
    if not (difference.max() <= allowed and rounded_otherwise <= 1e-2 * allowed):
        raise ExportError(
            f"The SavedModel must answer as the model does, within {allowed:.1f} gray levels and "
            f"nearly everywhere the same; got differences of up to {difference.max()}, and some "
            f"in {rounded_otherwise:.2%} of the values."
        )
