"""Parses the headers of PNG and JPEG files inside a TensorFlow graph."""

from dataclasses import dataclass, fields
from typing import Any

import tensorflow as tf

_ORIENTATION_TAG = 0x0112
# JPEG: start of frame, without DHT (0xC4), JPG (0xC8) and DAC (0xCC)
_FRAMES = [marker for marker in range(0xC0, 0xD0) if marker not in (0xC4, 0xC8, 0xCC)]
# JPEG: markers without a segment: TEM, restarts and the start of the image
_ALONE = [0x01, *range(0xD0, 0xD9)]


@dataclass(frozen=True)
class FileHeader:
    """The header of an image file.

    Args:
        is_jpeg: bool tensor.
        is_png: bool tensor.
        pixels: int64 tensor, height times width; 0 if unknown.
        bits: int32 tensor, bits per value in a PNG file.
        is_gray: bool tensor, whether a PNG file has one gray channel.
        has_alpha: bool tensor, whether a PNG file can have transparent pixels.
        orientation: int32 tensor, the EXIF orientation from 1 (upright) to 8.
    """

    is_jpeg: Any
    is_png: Any
    pixels: Any
    bits: Any
    is_gray: Any
    has_alpha: Any
    orientation: Any


def read_header(encoded):
    """Parses the `FileHeader` of a scalar string tensor."""
    return FileHeader(*_fields(encoded))


# Traced once in a process, and not again for every export
@tf.function(input_signature=[tf.TensorSpec((), tf.string)], autograph=False)
def _fields(encoded):
    header = _Reader(encoded).header()
    return tuple(getattr(header, field.name) for field in fields(header))


class _Reader:
    """Reads the bytes of a file, which is a sequence of parts.

    In JPEG these are segments (marker, length, content), in PNG chunks (length, name, content,
    checksum).
    """

    def __init__(self, encoded):
        self.encoded = encoded
        data = tf.io.decode_raw(encoded, tf.uint8)
        self.size = tf.size(data)
        self.data = tf.concat([data, [0]], axis=0)  # so that an empty file also has a byte to read

    def header(self):
        is_jpeg = tf.equal(self.text(0, 3), b"\xff\xd8\xff")
        is_png = tf.equal(self.text(0, 8), b"\x89PNG\r\n\x1a\n")
        height, width, exif = tf.cond(is_jpeg, self._of_jpeg, self._of_png)
        return FileHeader(
            is_jpeg=is_jpeg,
            is_png=is_png,
            pixels=tf.cast(height, tf.int64) * tf.cast(width, tf.int64),
            bits=self.byte(24),
            is_gray=tf.equal(self.byte(25), 0),
            has_alpha=tf.greater_equal(self.byte(25), 4) | tf.equal(self._png_alpha(), 1),
            orientation=self._orientation(exif),
        )

    def byte(self, position):
        """Returns the byte at a position, or 0 outside the file; `position` may be a vector."""
        inside = (position >= 0) & (position < self.size)
        found = tf.gather(self.data, tf.clip_by_value(position, 0, self.size))
        return tf.where(inside, tf.cast(found, tf.int32), 0)

    def number(self, position, length, little: tf.Tensor | bool = False):
        """Reads an unsigned integer; `position` may be a vector."""
        total = tf.zeros_like(position)
        for i in range(length):
            total = total * 256 + self.byte(position + tf.where(little, length - 1 - i, i))
        return total

    def text(self, position, length):
        inside = tf.clip_by_value(position, 0, self.size)
        return tf.strings.substr(self.encoded, inside, tf.minimum(length, self.size - inside))

    def _walk(self, start, goes_on, step):
        return tf.while_loop(goes_on, lambda at: (step(at),), (tf.constant(start),))[0]

    def _jpeg_segment(self, is_wanted):
        """Returns the position of the first wanted segment before the pixels, or -1."""

        def is_marker(at):
            return tf.equal(self.byte(at), 0xFF) & ~tf.equal(self.byte(at + 1), 0xDA)

        def step(at):
            marker = self.byte(at + 1)
            # A marker may be preceded by fill bytes 0xFF.
            short = tf.where(tf.equal(marker, 0xFF), 1, 2)
            alone = tf.reduce_any(tf.equal(marker, [0xFF, *_ALONE]))
            return at + tf.where(alone, short, 2 + tf.maximum(self.number(at + 2, 2), 2))

        at = self._walk(2, lambda at: is_marker(at) & ~is_wanted(at), step)
        return tf.where(is_marker(at) & is_wanted(at), at, -1)

    def _png_chunk(self, name, last=b""):
        """Returns the position of the first chunk with this name before `last`, or -1."""

        def is_chunk(at):
            # A length of two gigabytes or more is negative here, and not a valid chunk length.
            return (at + 12 <= self.size) & (self.number(at, 4) >= 0)

        def goes_on(at):
            found = self.text(at + 4, 4)
            return is_chunk(at) & ~tf.equal(found, name) & ~tf.equal(found, last)

        at = self._walk(8, goes_on, lambda at: at + 12 + self.number(at, 4))
        return tf.where(is_chunk(at) & tf.equal(self.text(at + 4, 4), name), at, -1)

    def _of_jpeg(self):
        frame = self._jpeg_segment(lambda at: tf.reduce_any(tf.equal(self.byte(at + 1), _FRAMES)))
        exif = self._jpeg_segment(
            lambda at: (
                tf.equal(self.byte(at + 1), 0xE1) & tf.equal(self.text(at + 4, 6), b"Exif\x00\x00")
            )
        )
        height, width = self.number(frame + 5, 2), self.number(frame + 7, 2)
        known = frame >= 0
        return (
            tf.where(known, height, 0),
            tf.where(known, width, 0),
            tf.where(exif < 0, -1, exif + 10),
        )

    def _of_png(self):
        exif = self._png_chunk(b"eXIf")
        # A length of two gigabytes or more is negative here.
        width, height = tf.maximum(self.number(16, 4), 0), tf.maximum(self.number(20, 4), 0)
        return height, width, tf.where(exif < 0, -1, exif + 8)

    def _png_alpha(self):
        """Returns 1 if a PNG file without an alpha channel has transparent colors."""
        return tf.cast(self._png_chunk(b"tRNS", last=b"IDAT") >= 0, tf.int32)

    def _orientation(self, tiff):
        """Reads the EXIF orientation from a TIFF directory, whose entries have twelve bytes."""
        little = tf.equal(self.byte(tiff), ord("I"))
        directory = tiff + self.number(tiff + 4, 4, little)
        count = tf.where(tiff >= 0, self.number(directory, 2, little), 0)
        entries = directory + 2 + 12 * tf.range(count)
        is_orientation = tf.equal(self.number(entries, 2, little), _ORIENTATION_TAG)
        found = tf.boolean_mask(entries, is_orientation)
        orientation = tf.reduce_max(tf.concat([[1], self.number(found + 8, 2, little)], 0))
        return tf.where(orientation <= 8, orientation, 1)
