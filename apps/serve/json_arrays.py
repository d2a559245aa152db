"""Arrays in JSON: read with checks, and written in pieces."""

import base64
import json

import numpy as np
from starlette.responses import Response, StreamingResponse

from kerascnn_apps.serve.refusal import RefusedError

# Numbers in a piece, and characters in one part of a streamed response. Python's writer of JSON
# stops the event loop for as long as a piece takes.
_PIECE, _PART = 4096, 2**18


def read_json(body, loads=json.loads):
    """Returns the object in a body.

    Args:
        body: bytes.
        loads: function that reads JSON, such as a `JsonProcess`.

    Raises:
        RefusedError: with status 400 if it is not JSON, or not an object.
    """
    try:
        found = loads(body)
    except (ValueError, RecursionError) as error:
        reason = str(error).partition(": line")[0][:100]
        raise RefusedError(400, f"The body must be JSON ({reason}).") from error
    if not isinstance(found, dict):
        raise RefusedError(400, 'The body must be a JSON object, such as {"instances": [...]}.')
    return found


def to_array(value, dtype, name):
    """Returns nested lists as an array.

    Args:
        value: number, str, or nested lists of them.
        dtype: str, NumPy's name of a type, or `"string"`, whose elements become bytes.
        name: str, of the input, for errors.

    Raises:
        RefusedError: with status 400 if rows differ in length, or values do not fit.
    """
    if dtype == "string":
        return _bytes_array(value, name)
    try:
        # Row by row: NumPy holds up all threads until it has read a list.
        found = (
            np.stack([np.asarray(row) for row in value])
            if isinstance(value, list) and value and isinstance(value[0], list)
            else np.asarray(value)
        )
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise RefusedError(
            400, f"Input {name!r} must be an array: rows of equal length."
        ) from error
    wanted = np.dtype(dtype)
    if found.size == 0:
        return found.astype(wanted)
    if wanted.kind == "b":
        fits = found.dtype.kind == "b"
    elif wanted.kind in "iu":
        bounds = np.iinfo(wanted)
        fits = found.dtype.kind in "iu" and found.min() >= bounds.min and found.max() <= bounds.max
    else:
        fits = found.dtype.kind in "iuf"
    if not fits:
        raise RefusedError(400, f"Input {name!r} must have values of the type {dtype}.")
    return found.astype(wanted)


def _bytes_array(value, name):
    def convert(item):
        if isinstance(item, list):
            return [convert(part) for part in item]
        if isinstance(item, dict) and set(item) == {"b64"}:
            return from_base64(item["b64"])
        if isinstance(item, str):
            return item.encode()
        raise RefusedError(400, f'Input {name!r} must have strings, or bytes as {{"b64": ...}}.')

    try:
        found = np.array(convert(value), dtype=object)
        if any(isinstance(item, list) for item in found.reshape(-1)):
            raise ValueError("ragged")
        return found
    except (ValueError, RecursionError) as error:
        raise RefusedError(
            400, f"Input {name!r} must be an array: rows of equal length."
        ) from error


def from_base64(text):
    """Returns the bytes of a text in base64.

    Raises:
        RefusedError: with status 400 if it is none.
    """
    try:
        # Some write it in lines, or without `=` at its end; TensorFlow Serving takes both.
        text = "".join(text.split()).rstrip("=")
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (ValueError, TypeError, AttributeError) as error:
        raise RefusedError(400, "The value of 'b64' must be a text in base64.") from error


def plain(array, as_base64=False):
    """Returns an array as nested lists; strings as text, or as `{"b64": ...}`."""
    if array.dtype.kind not in "OSU":
        return array.tolist()
    if array.ndim:
        return (
            [plain(part, as_base64) for part in array]
            if array.ndim > 1
            else [_text(item, as_base64) for item in array.tolist()]
        )
    return _text(array.item(), as_base64)


def _text(item, as_base64):
    encoded = item.encode() if isinstance(item, str) else item
    if as_base64:
        return {"b64": base64.b64encode(encoded).decode()}
    return encoded.decode("utf-8", "replace")


def json_text(value):
    """Returns dicts, lists, arrays and what JSON knows as JSON."""
    return "".join(_pieces(value))


def json_response(value, headers=None):
    """Returns a response of dicts, lists, arrays and what JSON knows; large ones are streamed."""
    if _size(value) <= _PIECE:
        return Response(json_text(value), media_type="application/json", headers=headers)
    return StreamingResponse(_parts(value), media_type="application/json", headers=headers)


def _size(value):
    if isinstance(value, np.ndarray):
        return value.size
    if isinstance(value, dict):
        return sum(map(_size, value.values()))
    return sum(map(_size, value)) if isinstance(value, list) else 1


def _parts(value):
    gathered, length = [], 0
    for piece in _pieces(value):
        gathered.append(piece)
        length += len(piece)
        if length >= _PART:
            yield "".join(gathered)
            gathered, length = [], 0
    yield "".join(gathered)


def _pieces(value):
    if isinstance(value, dict):
        for i, (key, item) in enumerate(value.items()):
            yield f"{', ' if i else '{'}{json.dumps(key)}: "
            yield from _pieces(item)
        yield "}" if value else "{}"
    elif isinstance(value, list) or (isinstance(value, np.ndarray) and value.size > _PIECE):
        parts = _chunks(value) if isinstance(value, np.ndarray) and value.ndim == 1 else value
        yield "["
        for i, item in enumerate(parts):
            if i:
                yield ", "
            if parts is value:
                yield from _pieces(item)
            else:
                yield json.dumps(plain(item))[1:-1]
        yield "]"
    elif isinstance(value, (np.ndarray, np.generic)):
        yield json.dumps(plain(np.asarray(value)))
    else:
        yield json.dumps(value)


def _chunks(array):
    for start in range(0, len(array), _PIECE):
        yield array[start : start + _PIECE]
