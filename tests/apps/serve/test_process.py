"""The server as people run it: over sockets, in a process of its own."""

import contextlib
import errno
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tests.apps.serve.fakes import gray_png
from tests.apps.serve.malformed import request, requests
from tests.apps.serve.server import (
    Clients,
    half_sent,
    received,
    resident,
    serving,
    write_brightness,
)
from tests.apps.serve.watch import MOST_LATE, MOST_LATE_BY_DAY, Watch

pytestmark = pytest.mark.extra("serve")

LIMITS = {
    "--max-body-mb": 1,
    "--max-pixels": 10_000,
    "--header-seconds": 1,
    "--body-seconds": 1,
    "--max-connections": 40,
    "--poll-seconds": 0.1,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("serving")
    (folder / "gray").mkdir()
    write_brightness(folder / "gray", 1)
    words = [word for pair in LIMITS.items() for word in pair]
    with serving(folder, folder / "gray", *words) as server:
        server.folder = folder / "gray"
        yield server


def test_tritons_own_client(server):
    """In a process of its own: it brings an event loop that changes Python's sockets."""
    from tests import fresh_process

    program = """
import sys
import numpy as np
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

client = triton.InferenceServerClient(sys.argv[1])
assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("gray")
assert not client.is_model_ready("none")
assert client.get_server_metadata()["name"] == "kerascnn"
metadata = client.get_model_metadata("gray")
assert metadata["inputs"] == [{"name": "images", "datatype": "UINT8", "shape": [-1] * 4}], metadata
pixels = np.stack([np.full((5, 4, 3), value, np.uint8) for value in (3, 250)])
for binary in (True, False):
    given = triton.InferInput("images", pixels.shape, "UINT8")
    given.set_data_from_numpy(pixels, binary_data=binary)
    names = ("class_id", "class_name", "probabilities")
    outputs = [triton.InferRequestedOutput(name, binary_data=binary) for name in names]
    for wanted in (outputs, None):
        found = client.infer("gray", [given], outputs=wanted, request_id="7")
        assert found.get_response()["id"] == "7"
        assert found.as_numpy("class_id").tolist() == [0, 1]
        words = [w if isinstance(w, str) else w.decode() for w in found.as_numpy("class_name")]
        assert words == ["dark", "light"], words
        light = np.array([3, 250]) / 255
        np.testing.assert_allclose(found.as_numpy("probabilities")[:, 1], light, rtol=1e-6)
file = triton.InferInput("encoded_images", [1], "BYTES")
file.set_data_from_numpy(np.array([open(sys.argv[2], "rb").read()], dtype=object))
assert client.infer("gray", [file]).as_numpy("class_id").tolist() == [1]
for model, name in (("none", "images"), ("gray", "other")):
    wrong = triton.InferInput(name, [1, 1, 1, 1], "UINT8")
    wrong.set_data_from_numpy(np.zeros((1, 1, 1, 1), np.uint8))
    try:
        client.infer(model, [wrong])
    except InferenceServerException as error:
        print(error.status(), error.message())
"""
    path = server.folder.parent / "light.png"
    path.write_bytes(gray_png(250))
    lines = fresh_process.output(program, f"127.0.0.1:{server.port}", path).splitlines()
    assert lines == [
        "404 There is no model 'none'; models served: gray.",
        "400 The model has no input 'other'; its inputs: images, encoded_images.",
    ]


@pytest.mark.parametrize("count", [60, pytest.param(300, marks=pytest.mark.nightly)])
def test_malformed_requests_get_their_status_and_the_server_stays(server, count):
    for _, data, allowed in requests(1, 30):  # what is loaded at first stays
        server.status(data, end=None in allowed)
    before = resident(server)
    wrong = []
    with Watch(server) as watch:
        for name, data, allowed in requests(2, count):
            status = server.status(data, end=None in allowed)
            if status not in allowed:
                wrong.append((name, status, data[:80]))
    assert not wrong
    assert watch.late() <= (MOST_LATE_BY_DAY if count == 60 else MOST_LATE)
    assert resident(server) < 1.1 * before
    assert server.status(request("/predict", gray_png(5))) == 200
    assert not [line for line in server.log() if "traceback" in line]


def test_responses_are_not_held_back(server):
    """Nagle's algorithm would hold the second part of each back for 40 ms."""
    import httpx

    took = []
    with httpx.Client() as client:
        for _ in range(30):
            begin = time.monotonic()
            client.get(f"{server.url}/healthz")
            took.append(time.monotonic() - begin)
    assert min(took) < 0.03


def test_slow_requests_get_408(server):
    half_headers = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-"
    half_body = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc"
    with ThreadPoolExecutor(8) as pool, Watch(server) as watch:
        statuses = list(pool.map(server.status, [half_headers, half_body] * 4))
    assert statuses == [408] * 8
    assert watch.late() <= MOST_LATE_BY_DAY
    begin = time.monotonic()
    assert server.send(b"") == b""  # a connection without a request is closed
    assert server.status(b"\r\n") == 408
    assert time.monotonic() - begin < 10


def test_a_client_that_leaves_leaves_no_traceback(server):
    data = b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc"
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(data)
        time.sleep(0.1)
    until = time.monotonic() + 10
    while server.log()[-1].get("status") != 499 and time.monotonic() < until:
        time.sleep(0.05)
    assert server.log()[-1]["status"] == 499
    assert not [line for line in server.log() if "traceback" in line]


def test_connections_are_limited(server):
    limit = LIMITS["--max-connections"]
    open_ones = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(limit)]
    try:
        answer = server.send(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 429 ")
        assert b"Retry-After: 1" in answer
        assert b"has its 40 connections" in answer
        assert server.log()[-1]["status"] == 429
    finally:
        for connection in open_ones:
            connection.close()
    until = time.monotonic() + 5
    while server.status(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n") != 200:
        assert time.monotonic() < until


def test_a_new_version_takes_over_under_load(server):
    import httpx

    with Clients(server) as clients:
        for number in (2, 3):
            time.sleep(0.2)
            write_brightness(server.folder, number)
            until = time.monotonic() + 30
            while number not in clients.versions and time.monotonic() < until:
                time.sleep(0.02)
    assert not clients.failed
    assert clients.versions == {1, 2, 3}
    found = httpx.get(f"{server.url}/v1/models/gray/versions/1")
    assert found.status_code in (200, 404)  # still unloading, or gone
    assert httpx.get(f"{server.url}/v2/models/gray").json()["versions"] == ["3"]


@pytest.mark.skipif(sys.platform != "linux", reason="looks into Linux's /proc")
def test_an_open_connection_is_answered_while_the_server_ends(tmp_path):
    """A client may send its next request at the very moment."""
    (tmp_path / "gray").mkdir()
    write_brightness(tmp_path / "gray", 1)
    wanted = request("/predict", gray_png(5))
    with serving(tmp_path, tmp_path / "gray") as server:
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
            connection.sendall(wanted)
            assert received(connection).startswith(b"HTTP/1.1 200 ")
            server.process.send_signal(signal.SIGTERM)
            until = time.monotonic() + 30
            while _is_listened_on(server.port):
                assert time.monotonic() < until
                time.sleep(0.01)
            connection.sendall(wanted)
            answer = received(connection)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"connection: close" in answer.lower()
        assert server.process.wait(30) == 0


def _is_listened_on(port):
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return any(
        line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A" for line in lines
    )


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such filter")
def test_nobody_is_reset_who_connects_while_the_server_ends():
    """Who has connected is accepted; who begins to, waits, and is refused after the end."""
    from kerascnn_apps.serve.process import _ignore_new_connections, _waiting, listening_socket

    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(listening_socket("127.0.0.1", 0))
        listening.setblocking(False)
        listening.listen()
        early = stack.enter_context(socket.create_connection(listening.getsockname()))
        _ignore_new_connections(listening)
        late = stack.enter_context(socket.socket())
        late.setblocking(False)
        assert late.connect_ex(listening.getsockname()) == errno.EINPROGRESS
        (accepted,) = _waiting(listening)
        stack.enter_context(accepted)
        listening.close()
        early.sendall(b"a question")
        assert accepted.recv(20) == b"a question"
        _, ended, _ = select.select([], [late], [], 30)
        assert ended
        assert late.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNREFUSED


def large_json(side=400):
    """A request that the process which reads large JSON reads."""
    content = json.dumps({"instances": np.full((1, side, side, 1), 200).tolist()}).encode()
    return request("/v1/models/gray:predict", content, "application/json")


def _children(process):
    path = Path(f"/proc/{process.pid}/task")
    return {
        int(child)
        for thread in path.iterdir()
        for child in (thread / "children").read_text().split()
    }


@pytest.fixture
def one_more(tmp_path):
    """A server of its own that has started the process for JSON, in a group of processes."""
    (tmp_path / "gray").mkdir()
    write_brightness(tmp_path / "gray", 1)
    with serving(tmp_path, tmp_path / "gray", start_new_session=True) as server:
        assert server.status(large_json()) == 200
        yield server


@pytest.mark.skipif(sys.platform != "linux", reason="looks into Linux's /proc")
def test_what_reads_json_ends_with_a_server_that_is_killed(one_more):
    children = _children(one_more.process)
    assert children
    one_more.process.kill()
    until = time.monotonic() + 10
    while any(Path(f"/proc/{child}").exists() for child in children):
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems end groups in other ways")
def test_sigterm_to_all_processes_of_a_group(one_more):
    """As from systemd: what was accepted is read and computed."""
    data = large_json(800)
    with half_sent(one_more, data, 3) as connections:
        os.killpg(one_more.process.pid, signal.SIGTERM)
        time.sleep(0.3)
        for connection in connections:
            connection.sendall(data[-10:])
        for connection in connections:
            assert received(connection).startswith(b"HTTP/1.1 200 ")
    assert one_more.process.wait(30) == 0


@pytest.mark.nightly
@pytest.mark.skipif(sys.platform != "linux", reason="uses Linux's unshare")
def test_sigterm_while_the_first_process_of_a_container_loads_a_model(tmp_path):
    """To the first process, Linux hands only signals that it waits for."""
    unshare = shutil.which("unshare")
    words = [unshare, "--map-root-user", "--pid", "--fork", "--kill-child"]
    if unshare is None or subprocess.run([*words, "true"], check=False).returncode:
        pytest.skip("no right to make a namespace of processes")
    program = """
import os, signal, time
from kerascnn_apps.cli import main
from kerascnn_apps.serve import exported

def load(path):
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(30)

exported.load_exported = load
main()
"""
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "saved_model.pb").touch()
    begin = time.monotonic()
    command = [*words, sys.executable, "-c", program, "serve", str(tmp_path), "--port", "0"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert time.monotonic() - begin < 25
    assert "SIGTERM: the server ended." in found.stderr
    assert found.returncode == 128 + signal.SIGTERM


def test_z_sigterm_under_load(server):
    """The last test: it ends the server."""
    import httpx

    large = np.zeros((1, 50, 50, 1), int).tolist()
    with Clients(server, 8) as clients:
        while clients.done < 50:
            time.sleep(0.01)
        server.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(httpx.ConnectError):  # refused, so never taken on
            assert httpx.post(
                f"{server.url}/v1/models/gray:predict", json={"instances": large}
            ).is_success
        server.process.wait(30)
        done = clients.done
    assert not clients.failed
    assert done >= 50
    assert server.process.returncode == 0
