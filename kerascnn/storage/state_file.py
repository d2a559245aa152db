"""Arrays and facts in one file with a checksum, which is verified before anything else.

    kerascnn state 1
    SHA-256 of the rest, in hexadecimal
    number of bytes of the next line
    {"facts": ..., "arrays": [[name, dtype, shape], ...]}
    the arrays, one after the other, in C order and little-endian

The content is built in memory, so that a full disk can only cause an error in `write`.
"""

import hashlib
import json
import math

import ml_dtypes
import numpy as np

_MAGIC = b"kerascnn state 1\n"
_DIGEST = 64
_NUMPY = {
    np.dtype(name).name: np.dtype(name)
    for name in ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
    + ("float16", "float32", "float64")
}
_DTYPES = {**_NUMPY, "bfloat16": np.dtype(ml_dtypes.bfloat16)}


class BrokenStateError(ValueError):
    """Raised when a file is not a state, is truncated, or is damaged."""


def encode(arrays, facts):
    """Returns the content of a file.

    Args:
        arrays: `{name: numpy array}` of numbers.
        facts: any JSON value.

    Raises:
        TypeError: if an array has a dtype that the format lacks.
    """
    header, parts = [], []
    for name, array in arrays.items():
        array = np.asarray(array)
        if array.dtype.name not in _DTYPES:
            raise TypeError(f"{name} must be an array of numbers; got dtype {array.dtype}.")
        header.append([name, array.dtype.name, list(array.shape)])
        little = array.astype(array.dtype.newbyteorder("<"), copy=False)
        parts.append(np.ascontiguousarray(little).reshape(-1).view(np.uint8))
    line = json.dumps({"facts": facts, "arrays": header}).encode()
    body = [b"%d\n" % len(line), line, *parts]
    digest = hashlib.sha256()
    for part in body:
        digest.update(part)
    return b"".join([_MAGIC, digest.hexdigest().encode(), b"\n", *body])


def decode(content):
    """Returns the arrays and the facts of a file.

    Args:
        content: bytes.

    Returns:
        `({name: numpy array}, facts)`; the arrays are read-only views of `content`.

    Raises:
        BrokenStateError: if the content is not what `encode` returned.
    """
    start = len(_MAGIC) + _DIGEST + 1
    if not content.startswith(_MAGIC) or len(content) < start:
        raise BrokenStateError("it is not a checkpoint of kerascnn" if content else "it is empty")
    rest = memoryview(content)[start:]
    if hashlib.sha256(rest).hexdigest().encode() + b"\n" != content[len(_MAGIC) : start]:
        raise BrokenStateError("its checksum is wrong")
    try:
        return _decoded(bytes(rest[:20]), rest)
    except (ValueError, TypeError, KeyError) as error:  # content with a forged checksum
        raise BrokenStateError("its content is not a checkpoint") from error


def _decoded(beginning, rest):
    number, newline, _ = beginning.partition(b"\n")
    place = len(number) + len(newline)
    end = place + int(number)
    header = json.loads(bytes(rest[place:end]))
    arrays = {}
    for name, dtype, shape in header["arrays"]:
        dtype, count = _DTYPES[dtype], math.prod(int(side) for side in shape)
        if count < 0 or end + count * dtype.itemsize > len(rest):
            raise ValueError("an array is longer than the file")
        arrays[name] = np.frombuffer(rest, dtype, count, end).reshape(shape)
        end += count * dtype.itemsize
    return arrays, header["facts"]
