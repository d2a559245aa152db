"""Antialiased bilinear interpolation with operations that every runtime supports."""

import tensorflow as tf


def resize_by_products(images, size):
    """Resizes images as `tf.image.resize(images, size, antialias=True)` does.

    Each output row and column is a weighted sum of input rows and columns, so resizing is a matrix
    product on either side. ONNX, LiteRT and OpenVINO have no operation that matches TensorFlow's
    `ScaleAndTranslate`.

    Args:
        images: tensor of shape `(..., height, width, channels)` with a known number of channels.
        size: pair of ints or int tensors, `(height, width)`.

    Returns:
        float32 tensor of shape `(..., *size, channels)`.
    """
    images = tf.convert_to_tensor(images)
    shape, channels = tf.shape(images), images.shape[-1]
    before, (height, width) = shape[:-3], (shape[-3], shape[-2])
    x = tf.reshape(images, (-1, height, width * channels))
    x = tf.matmul(_weights(height, size[0]), tf.cast(x, tf.float32))
    x = tf.transpose(tf.reshape(x, (-1, size[0], width, channels)), (0, 1, 3, 2))
    x = tf.matmul(x, _weights(width, size[1]), transpose_b=True)
    x = tf.transpose(x, (0, 1, 3, 2))
    if images.shape.rank != 4:
        x = tf.reshape(x, tf.concat([before, (*size, channels)], axis=0))  # pyright: ignore[reportArgumentType, reportCallIssue]
    known = [side if isinstance(side, int) else None for side in size]
    x.set_shape((*images.shape[:-3], *known, channels))
    return x


def _weights(size, target):
    """Returns weights `(target, size)`: a triangle around each target pixel, with the sum 1.

    The triangle is as wide as two pixels of the target, or of the source if the source is smaller.
    """
    scale = tf.cast(size, tf.float32) / tf.cast(target, tf.float32)
    centers = tf.reshape(2 * tf.range(target) + 1, (-1, 1))  # doubled, as integers
    places = tf.reshape(2 * tf.range(size) + 1, (1, -1))
    centers = tf.cast(centers, tf.float32) * (0.5 * scale)
    distances = tf.abs(0.5 * tf.cast(places, tf.float32) - centers)
    weights = tf.nn.relu(1.0 - distances / tf.maximum(scale, 1.0))
    return weights / tf.reduce_sum(weights, axis=1, keepdims=True)
