"""JPEG files of the usual form, whose headers say that they can be decoded."""

import functools
import os
import re
import struct
import zlib
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from kerascnn.data.prefetching import prefetched

START = b"\xff\xd8\xff"
_END = 0xD9
_QUANTIZATION, _HUFFMAN, _RESTART, _SCAN = 0xDB, 0xC4, 0xDD, 0xDA
_FRAMES = (0xC0, 0xC1)  # sequential, with Huffman codes
_JFIF, _COMMENT, _METADATA = 0xE0, 0xFE, range(0xE1, 0xF0)
_JFIF_BYTES = 14
_LARGEST_SIDE = 65_500
# Height and width of the first channel's blocks; the others have 1x1.
_SUBSAMPLING = (0x11, 0x21, 0x22)
_SEGMENT = struct.Struct(">BBH")  # 0xff, the marker, the length with the length itself
# Behind 0xff, codes have 0 or the marker of a restart. Decoders pass over other numbers below 0xc0.
_MARKER = re.compile(rb"\xff([\xc0-\xcf\xd8-\xfe])", re.DOTALL)
_START = 0xD8
_SAMPLE = 16
_TOP = 8  # rows


class PlainJpeg(NamedTuple):
    """A JPEG file that TensorFlow and Pillow decode without an error, to equal pixels.

    With metadata, Pillow may still refuse the file; it does so when it reads the header.

    Args:
        shape: `(height, width, channels)`, as stored.
        tables: int, a hash of the frame and of the quantization tables: files with equal pixels
            have equal ones, if one is a copy of the other.
        coding: int, a hash of the Huffman tables and of the restart interval.
        codes: `(start, stop)`, the place of the codes in the file.
        sample: bytes from the middle of the codes.
        has_metadata: bool, whether there is EXIF, XMP or the like, which may turn the image.
    """

    shape: tuple[int, int, int]
    tables: int
    coding: int
    codes: tuple[int, int]
    sample: bytes
    has_metadata: bool

    @property
    def digest(self):
        """A tuple that is equal for files that differ in metadata only, and rarely for others."""
        return self.shape, self.tables, self.coding, self.codes[1] - self.codes[0], self.sample


class _Header(NamedTuple):
    """What is before the codes of a file."""

    shape: tuple[int, int, int]
    tables: int
    coding: int
    restarts: bool
    has_metadata: bool


def plain_jpeg(encoded):
    """Reads the structure of a JPEG file without decoding it.

    A file is plain if it has 8 bits, one or three channels, one sequential scan with Huffman codes,
    every table that the scan refers to, and its end. What libjpeg still finds wrong in the codes
    of such a file is a warning, not an error. The format is described in ITU-T
    Recommendation T.81 (1992), annex B.

    Args:
        encoded: bytes of a file.

    Returns:
        `PlainJpeg`, or `None` for another kind of file, which must be decoded to know more.

    Example:
        >>> import pathlib
        >>> import sklearn.datasets
        >>> from kerascnn.data.jpeg import plain_jpeg
        >>> path = pathlib.Path(sklearn.datasets.__file__).parent / "images" / "flower.jpg"
        >>> plain_jpeg(path.read_bytes()).shape
        (427, 640, 3)
    """
    try:
        start = _codes_start(encoded)
        header = _header(encoded[:start])
        stop = _codes_stop(encoded, start, header.restarts)
    except (_NotPlainError, struct.error, IndexError):
        return None
    middle = (start + stop) // 2
    sample = encoded[middle : min(middle + _SAMPLE, stop)]
    shape, tables, coding, _, has_metadata = header
    return PlainJpeg(shape, tables, coding, (start, stop), sample, has_metadata)


def count_scans(encoded, most):
    """Returns the number of scans of a JPEG file, as far as it is read.

    What is behind the end of the image does not count, nor do previews in the metadata.

    Args:
        encoded: bytes of a file; one of another format has no scans.
        most: int, after which it stops.

    Returns:
        int, at most `most + 1`.

    Example:
        >>> import pathlib
        >>> import sklearn.datasets
        >>> from kerascnn.data.jpeg import count_scans
        >>> path = pathlib.Path(sklearn.datasets.__file__).parent / "images" / "flower.jpg"
        >>> count_scans(path.read_bytes(), 100)
        1
    """
    if not encoded.startswith(START):
        return 0
    place, count = 2, 0
    while count <= most and (found := _MARKER.search(encoded, place)):
        marker, place = found[1][0], found.end()
        if marker == _END:
            break
        if marker != _START:  # which has no segment
            count += marker == _SCAN
            place += int.from_bytes(encoded[place : place + 2], "big")
    return count


def full_digest(encoded, found):
    """Returns a tuple that is equal for files that differ in metadata only, and for no others.

    Args:
        encoded: bytes of the file.
        found: its `PlainJpeg`.
    """
    start, stop = found.codes
    return (*found.digest, zlib.crc32(memoryview(encoded)[start:stop]))


def read_plain_jpeg(path, channels):
    """Decodes a plain file in TensorFlow, to the pixels that Pillow decodes it to.

    Args:
        path: string tensor.
        channels: 1 for a file with one channel, or 3.

    Returns:
        uint8 tensor `(height, width, channels)`.
    """
    encoded = tf.io.read_file(path)
    return tf.io.decode_jpeg(encoded, channels, dct_method="INTEGER_ACCURATE")


def tops(shapes):
    """Decodes the first rows of plain files.

    Args:
        shapes: `{path: (height, width, channels)}`.

    Returns:
        list of pairs of ints, as `top_of` returns them.
    """

    def decoded(path, shape):
        window = tf.stack([0, 0, tf.minimum(shape[0], _TOP), shape[1]])
        rows = tf.io.decode_and_crop_jpeg(
            tf.io.read_file(path), window, dct_method="INTEGER_ACCURATE"
        )
        rows = tf.cast(rows, tf.int64)
        return tf.reduce_sum(rows), tf.reduce_sum(rows**2)

    if not shapes:
        return []
    paths = [os.fsencode(path) for path in shapes]
    dataset = tf.data.Dataset.from_tensor_slices((paths, np.array(list(shapes.values()), np.int32)))
    batches = prefetched(dataset.map(decoded, tf.data.AUTOTUNE).batch(256))
    return [pair for sums in batches.as_numpy_iterator() for pair in np.stack(sums, 1).tolist()]  # pyright: ignore[reportArgumentType, reportCallIssue]


def top_of(pixels):
    """Returns two numbers that are equal for images with the same first rows.

    Args:
        pixels: uint8 array `(height, width, channels)`.
    """
    rows = pixels[:_TOP].astype(np.int64)
    return int(rows.sum()), int((rows**2).sum())


class _NotPlainError(Exception):
    """A file is not plain."""


def _require(condition):
    if not condition:
        raise _NotPlainError


def _codes_start(encoded):
    """Returns where the codes of the first scan begin."""
    _require(encoded[:3] == START)
    place = 2
    while True:
        mark, marker, length = _SEGMENT.unpack_from(encoded, place)
        _require(mark == 0xFF and length >= 2)
        place += 2 + length
        if marker == _SCAN:
            return place


# The files of a camera or a program often have the same header.
@functools.lru_cache(maxsize=64)
def _header(encoded):
    """Reads and checks the segments before the codes."""
    quantization, huffman, frame = set(), set(), None
    restarts = has_metadata = False
    place, tables, coding = 2, 0, 0
    while place < len(encoded):
        _, marker, length = _SEGMENT.unpack_from(encoded, place)
        segment = encoded[place + 4 : place + 2 + length]
        _require(len(segment) == length - 2)
        place += 2 + length
        if marker == _JFIF:
            _require(segment.startswith(b"JFIF\0") and len(segment) >= _JFIF_BYTES)
        elif marker == _COMMENT or marker in _METADATA:
            has_metadata |= marker != _COMMENT
            _require(not segment.startswith(b"MPF\0"))  # several images in one file
        elif marker == _QUANTIZATION:
            quantization |= _quantization_tables(segment)
            tables = zlib.crc32(segment, tables)
        elif marker == _HUFFMAN:
            huffman |= _huffman_tables(segment)
            coding = zlib.crc32(segment, coding)
        elif marker == _RESTART:
            _require(len(segment) == 2)
            restarts = segment != b"\0\0"
            coding = zlib.crc32(segment, coding)
        elif marker in _FRAMES:
            _require(frame is None)
            frame = _frame(segment)
            tables = zlib.crc32(segment, tables)
        else:
            _require(marker == _SCAN and frame is not None)
            coding = zlib.crc32(segment, coding)
    shape, components = frame  # pyright: ignore[reportGeneralTypeIssues]
    _check_scan(segment, components, quantization, huffman)
    return _Header(shape, tables, coding, restarts, has_metadata)


def _codes_stop(encoded, start, restarts):
    """Returns where the codes end: at the marker of the end of the image."""
    _require(len(encoded) > start + 1)
    codes = np.frombuffer(encoded, np.uint8, offset=start)
    following = codes[1:]
    markers = codes[:-1] == 0xFF
    markers &= following != 0
    if restarts:
        markers &= (following & 0xF8) != 0xD0
    place = int(markers.argmax())
    _require(markers[place] and following[place] == _END)
    return start + place


def _frame(segment):
    """Returns the shape and `{component: its quantization table}`."""
    precision, height, width, channels = struct.unpack_from(">BHHB", segment)
    _require(precision == 8 and channels in (1, 3) and len(segment) == 6 + 3 * channels)
    _require(0 < height <= _LARGEST_SIDE and 0 < width <= _LARGEST_SIDE)
    sampling = segment[7::3]
    _require(sampling[0] in _SUBSAMPLING and set(sampling[1:]) <= {0x11})
    components = dict(zip(segment[6::3], segment[8::3], strict=True))
    _require(len(components) == channels)
    return (height, width, channels), components


def _check_scan(segment, components, quantization, huffman):
    """Checks that a scan has all components in their order, all coefficients, and its tables."""
    count = len(components)
    _require(segment[0] == count and len(segment) == 4 + 2 * count)
    _require(list(segment[1 : 1 + 2 * count : 2]) == list(components))
    _require(segment[-3:] == b"\x00\x3f\x00")
    _require(set(components.values()) <= quantization)
    for tables in segment[2 : 2 + 2 * count : 2]:
        _require({(0, tables >> 4), (1, tables & 15)} <= huffman)


@functools.lru_cache(maxsize=256)
def _quantization_tables(segment):
    """Returns the numbers of the tables."""
    _require(segment and len(segment) % 65 == 0)
    numbers = segment[::65]
    _require(max(numbers) < 4)  # also 8 bits for each entry
    return frozenset(numbers)


@functools.lru_cache(maxsize=256)
def _huffman_tables(segment):
    """Returns `{(class, number)}` of the tables; class 0 is for the mean of a block."""
    found, place = set(), 0
    while place < len(segment):
        kind, number = segment[place] >> 4, segment[place] & 15
        _require(kind < 2 and number < 4)
        counts = segment[place + 1 : place + 17]
        symbols = segment[place + 17 : place + 17 + sum(counts)]
        _require(len(counts) == 16 and len(symbols) == sum(counts) and 0 < len(symbols) <= 256)
        code = 0
        for bits, codes in enumerate(counts, 1):
            code += codes
            _require(not codes or code < 1 << bits)  # no code has ones only
            code <<= 1
        _require(kind == 1 or max(symbols) < 16)
        found.add((kind, number))
        place += 17 + len(symbols)
    return frozenset(found)
