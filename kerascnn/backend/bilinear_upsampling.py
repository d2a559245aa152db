"""Bilinear upsampling with TensorFlow's own op, which supports unknown image sizes.

`keras.ops.image.resize` uses the same op, but compares the sizes in Python first, which Keras 3.15
cannot do in a graph with unknown sizes.
"""

import tensorflow as tf


def bilinear_upsampling2d(x, rows, columns, data_format):
    """Upsamples images `rows` times in height and `columns` times in width, in their dtype."""
    if data_format == "channels_first":
        x = tf.transpose(x, (0, 2, 3, 1))
    known, found = x.shape[1:3], tf.shape(x)
    # XLA needs static sizes if they are known.
    size = [
        factor * (found[axis] if side is None else side)
        for axis, side, factor in zip((1, 2), known, (rows, columns), strict=True)
    ]
    y = tf.cast(tf.image.resize(x, size, "bilinear"), x.dtype)
    y.set_shape(
        (
            x.shape[0],
            *(side if isinstance(side, int) else None for side in size),
            x.shape[3],
        )
    )
    return tf.transpose(y, (0, 3, 1, 2)) if data_format == "channels_first" else y
