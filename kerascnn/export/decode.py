"""Decodes image files inside a TensorFlow graph, to the pixels that `read_image` gives."""

import tensorflow as tf

from kerascnn.data.pixels import to_channels

_ORIENTATION_TAG = 0x0112


def decode_image(encoded, channels):
    """Decodes the bytes of one PNG or JPEG file.

    Args:
        encoded: scalar string tensor.
        channels: 1 or 3.

    Returns:
        uint8 tensor of shape `(height, width, channels)`.
    """
    is_jpeg = tf.equal(tf.strings.substr(encoded, 0, 2), b"\xff\xd8")

    def jpeg():
        # The accurate inverse transform is the one that Pillow uses.
        pixels = tf.io.decode_jpeg(encoded, channels=3, dct_method="INTEGER_ACCURATE")
        return to_channels(pixels, channels)

    def png():
        pixels = tf.io.decode_png(encoded, channels=4)
        # TensorFlow 2.21 gives opaque files of 1, 2 or 4 bits an alpha of 1, 3 or 15.
        bits = tf.cast(tf.io.decode_raw(tf.strings.substr(encoded, 24, 1), tf.uint8)[0], tf.int32)
        alpha = tf.cast(pixels[..., 3:], tf.int32)
        opaque = (bits < 8) & tf.equal(tf.reduce_max(alpha), 2**bits - 1)
        alpha = tf.where(opaque, tf.constant(255, tf.uint8), pixels[..., 3:])
        return to_channels(tf.concat([pixels[..., :3], alpha], axis=-1), channels)

    image = tf.cond(is_jpeg, jpeg, png)
    image = _oriented(image, _exif_orientation(encoded, is_jpeg))
    image.set_shape((None, None, channels))
    return image


def _oriented(image, orientation):
    """Turns and mirrors an image as the EXIF orientation (1 to 8) says."""
    transposed = tf.transpose(image, (1, 0, 2))
    return tf.switch_case(
        orientation - 1,
        [
            lambda: image,
            lambda: image[:, ::-1],
            lambda: image[::-1, ::-1],
            lambda: image[::-1],
            lambda: transposed,
            lambda: transposed[:, ::-1],
            lambda: transposed[::-1, ::-1],
            lambda: transposed[::-1],
        ],
    )


def _exif_orientation(encoded, is_jpeg):
    """Reads the orientation that a JPEG or PNG file carries; 1 (upright) if there is none."""
    data = tf.io.decode_raw(encoded, tf.uint8)
    size = tf.size(data)

    def byte(position):
        inside = (position >= 0) & (position < size)
        found = tf.gather(data, tf.clip_by_value(position, 0, size - 1))
        return tf.where(inside, tf.cast(found, tf.int32), 0)

    def number(position, length, little=False):
        """An unsigned integer; `position` may be a vector."""
        total = tf.zeros_like(position)
        for i in range(length):
            total = total * 256 + byte(position + tf.where(little, length - 1 - i, i))
        return total

    def text(position, length):
        inside = tf.clip_by_value(position, 0, size)
        return tf.strings.substr(encoded, inside, tf.minimum(length, size - inside))

    # A file is a row of segments (JPEG: marker, length, content) or chunks (PNG: length, name,
    # content, checksum), which are walked until the one with EXIF or the end.
    def jpeg_is_exif(position):
        return tf.equal(byte(position + 1), 0xE1) & tf.equal(text(position + 4, 6), b"Exif\x00\x00")

    def jpeg_goes_on(position):
        pixels_begin = tf.equal(byte(position + 1), 0xDA)
        return tf.equal(byte(position), 0xFF) & ~pixels_begin & ~jpeg_is_exif(position)

    def png_is_exif(position):
        return tf.equal(text(position + 4, 4), b"eXIf")

    def png_goes_on(position):
        # A length of two gigabytes or more is negative here, and no chunk's.
        valid = (position + 12 <= size) & (number(position, 4) >= 0)
        return valid & ~png_is_exif(position)

    def walk(goes_on, step, start):
        return tf.while_loop(goes_on, lambda position: (step(position),), (tf.constant(start),))[0]

    def in_jpeg():
        at = walk(jpeg_goes_on, lambda position: position + 2 + number(position + 2, 2), 2)
        return tf.where(jpeg_is_exif(at), at + 10, -1)

    def in_png():
        at = walk(png_goes_on, lambda position: position + 12 + number(position, 4), 8)
        return tf.where(png_is_exif(at), at + 8, -1)

    # What EXIF holds is a TIFF file: byte order, then a directory of entries of twelve bytes.
    tiff = tf.cond(is_jpeg, in_jpeg, in_png)
    little = tf.equal(byte(tiff), ord("I"))
    directory = tiff + number(tiff + 4, 4, little)
    count = tf.where(tiff >= 0, number(directory, 2, little), 0)
    entries = directory + 2 + 12 * tf.range(count)
    found = tf.boolean_mask(entries, tf.equal(number(entries, 2, little), _ORIENTATION_TAG))
    orientation = tf.reduce_max(tf.concat([[1], number(found + 8, 2, little)], 0))
    return tf.where(orientation <= 8, orientation, 1)
