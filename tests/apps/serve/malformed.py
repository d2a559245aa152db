"""Requests that are wrong in every way, the same for a seed."""

import functools
import io
import json
import struct
import zlib

import numpy as np
from PIL import Image


@functools.cache
def png_of_bits(width, height, rows=None):
    """A PNG file of one bit a pixel that declares a size; by default it has all its rows."""

    def chunk(name, content):
        checked = name + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    rows = height if rows is None else rows
    packed = zlib.compress(bytes((1 + (width + 7) // 8) * rows), 9)
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
    return start + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def photo(kind, rng, side=40):
    """The bytes of a valid file of noise."""
    file = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (side, side, 3), np.uint8)).save(file, kind)
    return file.getvalue()


def request(path, body=b"", content_type=None, method="POST", headers=()):
    """The bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: test", f"Content-Length: {len(body)}"]
    if content_type:
        lines.append(f"Content-Type: {content_type}")
    return "\r\n".join([*lines, *headers, "", ""]).encode() + body


def _bytes(rng, count):
    return rng.integers(0, 256, count, np.uint8).tobytes()


def _noise(rng):
    # It begins with a byte that is in no method.
    return b"\x00" + _bytes(rng, int(rng.integers(4, 500))) + b"\r\n\r\n", {400}


def _version(rng):
    version = rng.choice(["9.9", "2.0", "0.9", "1.2", "3.0", "11", "x"])
    return f"GET /healthz HTTP/{version}\r\nHost: a\r\n\r\n".encode(), {400, 505}


def _method(rng):
    method = rng.choice(["BREW", "get", "G E T", "", "POSTT"])
    return f"{method} /predict HTTP/1.1\r\nHost: a\r\n\r\n".encode(), {400}


def _long_headers(rng):
    name = "x" * int(rng.integers(1, 30))
    return f"GET / HTTP/1.1\r\n{name}: {'a' * 70_000}\r\n\r\n".encode(), {431}


def _lengths(rng):
    field = rng.choice(["-5", "5, 6", "x", "1e3", "99999999999999999999999"])
    return f"POST /predict HTTP/1.1\r\nContent-Length: {field}\r\n\r\nabc".encode(), {400, 413}


def _two_framings(rng):
    both = "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    return f"POST /predict HTTP/1.1\r\nHost: a\r\n{both}".encode(), {400}


def _chunks(rng):
    head = b"POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + [b"zz\r\nabc\r\n", b"-1\r\n", b"5\r\nabcdefgh\r\n"][rng.integers(3)], {400}


def _declared_too_large(rng):
    size = int(rng.integers(2**21, 2**40))
    return f"POST /predict HTTP/1.1\r\nContent-Length: {size}\r\n\r\n".encode(), {413}


def _too_large(rng):
    return request("/predict", bytes(2**20 + int(rng.integers(1, 1000)))), {413}


def _chunks_too_large(rng):
    head = b"POST /predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"10000\r\n" + bytes(2**16) + b"\r\n"
    return head + int(rng.integers(17, 40)) * chunk, {413}


def _too_many_images(rng):
    rows = int(rng.integers(65, 200))
    body = json.dumps({"instances": [[[[1]]]] * rows}).encode()
    return request("/v1/models/gray:predict", body, "application/json"), {413}


def _slow_headers(rng):
    whole = request("/predict", b"abc", "image/png")
    return whole[: int(rng.integers(1, whole.index(b"\r\n\r\n")))], {408}


def _slow_body(rng):
    whole = request("/predict", photo("PNG", rng), "image/png")
    return whole[: int(rng.integers(whole.index(b"\r\n\r\n") + 4, len(whole)))], {408}


def _cut_request(rng):
    whole = request("/predict", photo("PNG", rng), "image/png")
    return whole[: int(rng.integers(1, len(whole)))], {None}


def _bomb(rng):
    width, height = (int(side) for side in rng.integers(6_000, 30_000, 2))
    rows = int(rng.integers(0, 3))
    return request("/predict", png_of_bits(width, height, rows), "image/png"), {413}


def _whole_bomb(rng):
    return request("/predict", png_of_bits(20_000, 20_000)), {413}


def _cut_image(rng):
    file = photo(("PNG", "JPEG")[rng.integers(2)], rng)
    return request("/predict", file[: int(rng.integers(0, len(file) - 20))]), {400}


def _flipped_image(rng):
    file = bytearray(photo(("PNG", "JPEG")[rng.integers(2)], rng))
    for at in rng.integers(0, len(file), 5):
        file[at] ^= 1 << int(rng.integers(8))
    return request("/predict", bytes(file)), {200, 400, 413}


def _other_file(rng):
    kind = ("BMP", "GIF", "TIFF", "WEBP", "ICO")[rng.integers(5)]
    return request("/predict", photo(kind, rng)), {400}


def _declared_type(rng):
    kind = rng.choice(["text/html", "application/json", "video/mp4", "x", ";", "application/xml"])
    return request("/predict", b"abc", kind), {400, 415}


def _form(rng):
    kind = rng.choice(
        ["", "; boundary=", "; boundary=b", '; boundary="', "; boundary=" + "b" * 500]
    )
    body = b"--b\r\n" + _bytes(rng, 50) + b"\r\n--b--"
    return request("/predict", body, "multipart/form-data" + kind), {400}


def _json(rng):
    body = rng.choice(
        [
            "{",
            "[]",
            "null",
            "[" * 50_000,
            '{"a":' * 20_000,
            '{"instances": 1}',
            "\\x00",
            '{"inputs": {}}',
        ]
    )
    return request("/v1/models/gray:predict", str(body).encode(), "application/json"), {400}


def _changed_json(rng):
    good = json.dumps({"instances": [[[[1], [2]]]]})
    at = int(rng.integers(len(good)))
    changed = good[:at] + str(rng.choice(list('[]{}",:x9-'))) + good[at + 1 :]
    return request("/v1/models/gray:predict", changed.encode(), "application/json"), {200, 400, 413}


def _tensor(rng):
    shape = [int(size) for size in rng.integers(-2, 5, int(rng.integers(0, 6)))]
    tensor = {"name": "images", "shape": shape, "datatype": "UINT8", "data": [1, 2]}
    body = json.dumps({"inputs": [tensor]}).encode()
    return request("/v2/models/gray/infer", body, "application/json"), {200, 400, 413}


def _binary_tensor(rng):
    size = int(rng.integers(-5, 2**40))
    tensor = {"name": "images", "shape": [1, 1, 1, 1], "datatype": "UINT8"}
    tensor["parameters"] = {"binary_data_size": size}
    body = json.dumps({"inputs": [tensor]}).encode()
    header = f"Inference-Header-Content-Length: {rng.choice([len(body), 0, 10**9, -1, 3])}"
    return request("/v2/models/gray/infer", body + b"ab", headers=[header]), {400}


def _path(rng):
    path = rng.choice(
        ["/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/static/x", "/v1/models/%00:predict"]
        + [
            "/v2/models/" + "a" * 5000,
            "/v1/models/gray/versions/" + "9" * 400,
            "/%ff%fe",
            "/models/",
        ]
    )
    return request(path, method=rng.choice(["GET", "POST"])), {400, 404, 405, 307}


def _wrong_method(rng):
    return request("/predict", method=rng.choice(["GET", "PUT", "DELETE", "PATCH"])), {405}


_KINDS = [
    value for name, value in list(globals().items()) if name.startswith("_") and callable(value)
]
_KINDS.remove(_bytes)


def requests(seed, count):
    """Yields `count` triples: a name, the bytes of a request, and the statuses that it may get.

    Where `None` is among them, the client closes its side after the bytes. The server must allow
    bodies of 1 MiB, 64 images, and at most 36 million pixels.
    """
    rng = np.random.default_rng(seed)
    for i in range(count):
        kind = _KINDS[i % len(_KINDS)]
        yield kind.__name__.lstrip("_"), *kind(rng)
