"""What clients and attackers send over a connection, byte by byte."""

import contextlib
import re
import socket
import threading
import time

import pytest

from tests.apps.serve.fakes import gray_png
from tests.apps.serve.malformed import request
from tests.apps.serve.server import received, resident, serving, write_brightness, write_mask

pytestmark = pytest.mark.extra("serve")

CONNECTIONS = 8


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("serving")
    for name, write in (("gray", lambda path: write_brightness(path, 1)), ("mask", write_mask)):
        (folder / name).mkdir()
        write(folder / name)
    words = ("--max-connections", CONNECTIONS, "--body-seconds", 2, "--poll-seconds", 0)
    with serving(folder, folder / "gray", folder / "mask", *words) as server:
        yield server


@contextlib.contextmanager
def connected(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        yield connection


def head(*lines, method=b"POST", path=b"/predict?model=gray", version=b"1.1"):
    first = b"%s %s HTTP/%s\r\nHost: a" % (method, path, version)
    return b"\r\n".join([first, *lines]) + b"\r\n\r\n"


# As Java's HttpClient offers HTTP/2 by default
OFFER = (
    b"Connection: Upgrade, HTTP2-Settings",
    b"Upgrade: h2c",
    b"HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA",
)


@pytest.mark.parametrize("cut", [0, 30, 100, -40, -1])
@pytest.mark.parametrize("length", ["declared", "chunked"])
def test_an_offer_of_http_2_is_ignored(server, cut, length):
    """The body comes with the headers, or in another packet, or the headers in two."""
    file = gray_png(200)
    if length == "declared":
        data = head(*OFFER, b"Content-Length: %d" % len(file)) + file
    else:
        pieces = b"%x\r\n%s\r\n0\r\n\r\n" % (len(file), file)
        data = head(*OFFER, b"Transfer-Encoding: chunked") + pieces
    with connected(server) as connection:
        for _ in range(2):  # the connection stays
            connection.sendall(data[:cut])
            time.sleep(0.05)
            connection.sendall(data[cut:])
            answer = received(connection)
            assert answer.startswith(b"HTTP/1.1 200 "), answer
            assert b'"light"' in answer


def test_many_offers_in_one_packet(server):
    data = head(*OFFER, method=b"GET", path=b"/healthz") * 1500
    with connected(server) as connection:
        sending = threading.Thread(target=connection.sendall, args=(data,))
        sending.start()
        found = b""
        while found.count(b"HTTP/1.1 200 ") < 1500:
            part = connection.recv(2**16)
            assert part
            found += part
        sending.join()


def test_other_offers(server):
    websocket = (b"Connection: upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13")
    assert server.status(head(*websocket, method=b"GET", path=b"/healthz")) == 200
    assert server.status(head(*OFFER, b"Connection: close", method=b"GET", path=b"/healthz")) == 200
    assert server.status(head(method=b"CONNECT", path=b"example.org:443")) == 400


def test_trailers_are_limited_and_left_out(server):
    """Bytes behind a body in chunks are held by whoever reads them as headers."""
    file = gray_png(200)
    start = head(b"Transfer-Encoding: chunked") + b"%x\r\n%s\r\n0\r\n" % (len(file), file)
    few = start + b"Content-Encoding: gzip\r\nX-Checksum: 3\r\n\r\n"
    assert server.status(few) == 200  # as a header, the first would get 415
    before = resident(server)
    with connected(server) as connection:
        connection.sendall(start)
        with contextlib.suppress(OSError):
            for _ in range(200):
                connection.sendall(b"x: " + b"a" * 2**20 + b"\r\n")
        assert received(connection)[:13] in (b"HTTP/1.1 431 ", b"")
    assert resident(server) < before + 2**26


@pytest.mark.parametrize(
    ("path", "status"),
    [(b"/predict?model=none", 404), (b"/none", 404), (b"/healthz", 405)],
)
def test_an_early_error_is_the_only_response_to_a_large_upload(server, path, status):
    """The rest of the body is still on its way."""
    piece, count = bytes(50_000), 10
    with connected(server) as connection:
        connection.sendall(head(b"Content-Length: %d" % (count * len(piece)), path=path))
        for _ in range(count):
            connection.sendall(piece)
            time.sleep(0.02)
        assert received(connection).startswith(b"HTTP/1.1 %d " % status)
        connection.sendall(request("/predict?model=gray", gray_png(200)))
        assert received(connection).startswith(b"HTTP/1.1 200 ")
    assert 431 not in [line.get("status") for line in server.log()[-3:]]


def test_the_rest_of_a_refused_upload_is_limited_in_time(server):
    with connected(server) as connection:
        connection.sendall(head(b"Content-Length: 1000000", path=b"/none"))
        assert received(connection).startswith(b"HTTP/1.1 404 ")
        begin = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() < begin + 20:
                connection.sendall(b"a")
                time.sleep(0.05)
        assert time.monotonic() - begin < 10


def test_who_is_connected_stays_when_others_come(server):
    file = gray_png(200)
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(connected(server))
        first.sendall(head(b"Content-Length: %d" % len(file)) + file[:10])
        time.sleep(0.1)
        for _ in range(CONNECTIONS - 1):
            stack.enter_context(connected(server))
        surplus = stack.enter_context(connected(server))
        surplus.sendall(head(method=b"GET", path=b"/healthz"))
        assert received(surplus).startswith(b"HTTP/1.1 429 ")
        first.sendall(file[10:])
        assert received(first).startswith(b"HTTP/1.1 200 ")
        silent = stack.enter_context(connected(server))
        assert received(silent).startswith(b"HTTP/1.1 429 ")  # soon, although it asks nothing


def test_a_client_of_http_1_0_gets_no_chunks(server):
    pixels = b'{"instances": [%s]}' % str([[[200]] * 100] * 100).encode()
    for version, is_chunked in ((b"1.0", False), (b"1.1", True)):
        lines = (b"Content-Length: %d" % len(pixels), b"Connection: close")
        found = bytearray()
        with connected(server) as connection:
            path = b"/v1/models/mask:predict"
            connection.sendall(head(*lines, path=path, version=version) + pixels)
            while part := connection.recv(2**16):
                found += part
        start, _, body = bytes(found).partition(b"\r\n\r\n")
        assert start.startswith(b"HTTP/1.1 200 ")
        assert (b"chunked" in start.lower()) == is_chunked
        if not is_chunked:
            assert int(re.search(rb"(?i)content-length: (\d+)", start)[1]) == len(body)
            assert body.startswith(b'{"predictions": [[')


def test_pipelined_requests(server):
    """A second request, with a body, comes before the first has its response."""
    data = request("/predict?model=gray", gray_png(200)) + request("/predict?model=gray", b"none")
    statuses, found = [], b""
    with connected(server) as connection:
        sending = threading.Thread(target=connection.sendall, args=(data,))
        sending.start()
        while len(statuses) < 2:
            part = connection.recv(2**16)
            assert part
            found += part
            statuses = re.findall(rb"HTTP/1.1 (\d{3}) ", found)
        sending.join()
    assert statuses == [b"200", b"400"]
