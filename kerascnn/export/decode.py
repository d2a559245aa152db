"""Decodes image files inside a TensorFlow graph, to the same pixels as `read_image`."""

import tensorflow as tf

from kerascnn.data.pixels import to_channels
from kerascnn.export.file_header import read_header
from kerascnn.export.serving import MAX_PIXELS

# Pixels to convert at a time: conversions need 32 bits per value.
_BAND = 2**17


def decode_image(encoded, channels, max_pixels=MAX_PIXELS, value_ranges=None):
    """Decodes the bytes of one PNG or JPEG file.

    Reads the size of the image first, so that a small file cannot use a lot of memory. Decoding
    takes up to 8 bytes per pixel.

    Args:
        encoded: scalar string tensor.
        channels: 1 or 3.
        max_pixels: int, largest number of pixels of an image.
        value_ranges: optional `{"uint16": (low, high)}`, the values of 16-bit gray PNG files that
            become 0 and 255, as in `kerascnn.data.read_image`.

    Returns:
        uint8 tensor of shape `(height, width, channels)`.

    Raises:
        tf.errors.InvalidArgumentError: when the graph runs, if the file has another format, is
            damaged or is too large.
    """
    header = read_header(encoded)
    checks = [
        tf.debugging.Assert(
            header.is_jpeg | header.is_png, ["An image must be a PNG or JPEG file."]
        ),
        tf.debugging.Assert(
            header.pixels > 0, ["An image must have a size in its header; the file is damaged."]
        ),
        tf.debugging.Assert(
            header.pixels <= max_pixels,
            [f"An image must have at most {max_pixels} pixels; got", header.pixels],
        ),
    ]
    with tf.control_dependencies(checks):
        encoded = tf.identity(encoded)

    def jpeg():
        # Pillow uses the accurate inverse transform.
        pixels = tf.io.decode_jpeg(encoded, channels=3, dct_method="INTEGER_ACCURATE")
        return _converted(pixels, channels)

    def opaque_png():
        return _converted(tf.io.decode_png(encoded, channels=3), channels)

    def png():
        pixels = tf.io.decode_png(encoded, channels=4)
        # TensorFlow 2.21 returns an alpha of 1, 3 or 15 for opaque files of 1, 2 or 4 bits.
        highest = tf.cast(tf.reduce_max(pixels, axis=(0, 1))[3], tf.int32)
        opaque = (header.bits < 8) & tf.equal(highest, 2**header.bits - 1)
        return _converted(pixels, channels, opaque)

    def deep_png():
        low, high = value_ranges["uint16"]
        values = tf.cast(tf.io.decode_png(encoded, channels=1, dtype=tf.uint16), tf.float64)
        gray = tf.round(tf.clip_by_value((values - low) * (255 / (high - low)), 0, 255))
        return tf.repeat(tf.cast(gray, tf.uint8), channels, axis=-1)

    def any_png():
        return tf.cond(header.has_alpha, png, opaque_png)

    def ranged_png():
        deep = header.is_gray & tf.equal(header.bits, 16) & ~header.has_alpha
        return tf.cond(deep, deep_png, any_png)

    ranged = "uint16" in (value_ranges or {})
    image = tf.cond(header.is_jpeg, jpeg, ranged_png if ranged else any_png)
    image = _oriented(image, header.orientation)
    image.set_shape((None, None, channels))
    return image


def _converted(pixels, channels, opaque=None):
    """Returns `to_channels(pixels, channels)`, computed in bands of rows.

    Args:
        pixels: uint8 tensor of shape `(height, width, 3 or 4)`.
        channels: 1 or 3.
        opaque: optional bool tensor, whether to replace the fourth channel by 255.
    """
    if pixels.shape[-1] == channels:
        return pixels
    height, width = tf.shape(pixels)[0], tf.shape(pixels)[1]
    rows = tf.maximum(_BAND // tf.maximum(width, 1), 1)

    def band(top, converted):
        part = pixels[top : top + rows]
        if opaque is not None:
            alpha = tf.where(opaque, tf.constant(255, tf.uint8), part[..., 3:])
            part = tf.concat([part[..., :3], alpha], axis=-1)
        places = tf.range(top, tf.minimum(top + rows, height))
        # `tf.tensor_scatter_nd_update` would copy all of it each time.
        converted = tf.raw_ops.InplaceUpdate(x=converted, i=places, v=to_channels(part, channels))
        return top + rows, converted

    _, converted = tf.while_loop(
        lambda top, _: top < height,
        band,
        (0, tf.zeros((height, width, channels), tf.uint8)),
        shape_invariants=(tf.TensorShape(()), tf.TensorShape((None, None, channels))),
        parallel_iterations=1,
    )
    return converted


def _oriented(image, orientation):
    """Rotates and flips an image by its EXIF orientation (1 to 8)."""

    def transposed():
        return tf.transpose(image, (1, 0, 2))

    return tf.switch_case(
        orientation - 1,
        [
            lambda: image,
            lambda: image[:, ::-1],
            lambda: image[::-1, ::-1],
            lambda: image[::-1],
            transposed,
            lambda: transposed()[:, ::-1],
            lambda: transposed()[::-1, ::-1],
            lambda: transposed()[::-1],
        ],
    )
