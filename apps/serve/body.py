"""Bodies of requests: read within limits, and taken apart by their content type."""

import asyncio

from python_multipart.multipart import parse_options_header
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from kerascnn_apps.serve.refusal import RefusedError

# curl sends `--data-binary` and `-d` as a form by default.
_CURL = "application/x-www-form-urlencoded"
_BYTES = ("", "application/octet-stream", _CURL)
_JSON = ("", "application/json", "text/json", _CURL)
_FORM = "multipart/form-data"


def content_type(request):
    """Returns the media type of a request, without its parameters; empty if there is none."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def check_type(request, allowed, what):
    """Raises a `RefusedError` with status 415 if the content type is none of the allowed."""
    found = content_type(request)
    if found not in allowed:
        raise RefusedError(415, f"The body must be {what}; got content-type {found[:100]!r}.")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise RefusedError(
            415, "The body must not be compressed: send it without content-encoding."
        )


def check_json(request, *others):
    """Raises a `RefusedError` with status 415 if the body is declared as another type."""
    check_type(request, (*_JSON, *others), "JSON (application/json)")


async def read_body(request, limits, held):
    """Returns the body of a request, as `bytes`.

    Args:
        request: `starlette.requests.Request`.
        limits: `Limits`.
        held: `Held`, what the request holds.

    Raises:
        RefusedError: with 413 if the body is too large, with 408 if it comes too slowly, and with
            429 if all requests together hold too much.
        ClientDisconnect: if the client leaves.
    """
    too_large = RefusedError(
        413, f"A body must have at most {limits.max_body:,} bytes (--max-body-mb).", unfinished=True
    )
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limits.max_body:
        raise too_large
    pieces, size = [], 0
    try:
        async with asyncio.timeout(limits.body_seconds):
            async for piece in request.stream():
                size += len(piece)
                if size > limits.max_body:
                    raise too_large
                held.take(len(piece))
                pieces.append(piece)
    except RefusedError as refusal:
        refusal.unfinished = True
        raise
    except TimeoutError:
        sentence = f"The body must arrive within {limits.body_seconds:g} seconds."
        raise RefusedError(408, sentence, unfinished=True) from None
    return b"".join(pieces)


async def image_of(request, body):
    """Returns the bytes of the image in a body that is an image, or a form with one file.

    Raises:
        RefusedError: with 415 for another content type, with 400 if a form is broken or empty.
    """
    found = content_type(request)
    if found == _FORM:
        return await _file_in_form(request, body)
    what = "an image (image/png, image/jpeg), or a form with one (multipart/form-data)"
    check_type(request, (found,) if found.startswith("image/") else _BYTES, what)
    return body


async def _file_in_form(request, body):
    # Without it, Starlette's parser fails with a KeyError.
    if b"boundary" not in parse_options_header(request.headers["content-type"])[1]:
        raise RefusedError(400, "The content-type of a form must have a boundary.")

    async def stream():
        yield body

    parser = MultiPartParser(request.headers, stream(), max_files=1, max_fields=16)
    parser.spool_max_size = len(body) + 1  # nothing is written to disk
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise RefusedError(400, f"The form cannot be read: {error.message}") from error
    try:
        files = [value for value in form.values() if isinstance(value, UploadFile)]
        if not files:
            sentence = "The form must have one file, such as `curl -F image=@photo.png`."
            raise RefusedError(400, sentence)
        return await files[0].read()
    finally:
        await form.close()
