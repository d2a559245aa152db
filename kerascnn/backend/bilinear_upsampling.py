"""Bilinear upsampling by TensorFlow's own op, also where the size of the images is unknown.

`keras.ops.image.resize` comes down to the same op, but compares the sizes in Python first, which
Keras 3.15 cannot do in a graph that does not know them.
"""

import tensorflow as tf


def bilinear_upsampling2d(x, rows, columns, data_format):
    """The image, `rows` times as high and `columns` times as wide, in its dtype."""
    if data_format == "channels_first":
        x = tf.transpose(x, (0, 2, 3, 1))
    known, found = x.shape[1:3], tf.shape(x)
    # XLA wants numbers where there are any.
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
