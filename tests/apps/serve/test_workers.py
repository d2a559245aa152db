"""Several processes that share a port: `kerascnn serve --workers 2`."""

import contextlib
import os
import signal
import socket
import sys
import time

import numpy as np
import pytest

from kerascnn_apps.cli import run
from tests.apps.serve.fakes import gray_png
from tests.apps.serve.malformed import request
from tests.apps.serve.server import Clients, half_sent, received, serving, write_brightness

pytestmark = pytest.mark.extra("serve")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("serving")
    (folder / "gray").mkdir()
    write_brightness(folder / "gray", 1)
    words = ("--workers", 2, "--poll-seconds", 0.1)
    with serving(folder, folder / "gray", *words) as server:
        server.folder = folder / "gray"
        yield server


def events(server, name):
    return [line for line in server.log() if line["event"] == name]


def figures(server):
    """The samples at /metrics, by name and values of labels."""
    import httpx
    from prometheus_client.parser import text_string_to_metric_families

    text = httpx.get(f"{server.url}/metrics").text
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def wait_for(condition, seconds=60):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_connections_go_to_all_workers_and_figures_are_those_of_all(server):
    body = gray_png(200)
    for _ in range(40):
        assert server.status(request("/predict", body, "image/png")) == 200
    workers = {str(line["worker"]) for line in events(server, "worker started")}
    assert len(workers) == 2
    found = figures(server)
    assert found["kerascnn_requests_total", "/predict", "200"] == 40
    assert found["kerascnn_batch_images_sum", "gray"] == 40
    assert found["kerascnn_queue_images",] == 0
    of_each = {key[1] for key in found if key[0] == "process_cpu_seconds_total"}
    assert of_each == workers


def test_a_new_version_reaches_all_workers(server):
    with Clients(server, 8) as clients:
        while not clients.done:
            time.sleep(0.01)
        write_brightness(server.folder, 2)
        wait_for(lambda: len(events(server, "version drained")) == 2)
        time.sleep(0.2)  # responses of the old one are on their way
        clients.versions.clear()
        done = clients.done
        wait_for(lambda: clients.done > done + 40)
    assert not clients.failed
    assert clients.versions == {2}


def test_a_killed_worker_is_replaced(server):
    victim = events(server, "worker started")[0]["worker"]
    loaded = len(events(server, "version loaded"))
    before = figures(server).get(("kerascnn_requests_total", "/predict", "200"), 0)
    with Clients(server, 8, retries=True) as clients:
        wait_for(lambda: clients.done > 20)
        os.kill(victim, signal.SIGKILL)
        wait_for(lambda: len(events(server, "version loaded")) == loaded + 1)
        done = clients.done
        wait_for(lambda: clients.done > done + 20)
    assert not clients.failed
    (ended,) = events(server, "worker ended")
    assert (ended["worker"], ended["status"]) == (victim, -signal.SIGKILL)
    assert len(events(server, "worker started")) == 3
    found = figures(server)
    of_each = {key[1] for key in found if key[0] == "process_cpu_seconds_total"}
    assert len(of_each) == 2
    assert str(victim) not in of_each
    # What it has counted stays.
    counted = found["kerascnn_requests_total", "/predict", "200"] - before
    assert counted >= clients.done - clients.retried


def test_z_sigterm_under_load(server):
    """The last test: it ends the server."""
    import httpx

    large = np.zeros((1, 50, 50, 1), int).tolist()
    with Clients(server, 8) as clients:
        wait_for(lambda: clients.done > 50)
        server.process.send_signal(signal.SIGTERM)
        with contextlib.suppress(httpx.ConnectError):  # refused, so never taken on
            assert httpx.post(
                f"{server.url}/v1/models/gray:predict", json={"instances": large}
            ).is_success
        server.process.wait(30)
    assert not clients.failed
    assert server.process.returncode == 0
    statuses = [line["status"] for line in events(server, "worker ended")]
    assert [status for status in statuses if status != -signal.SIGKILL] == [0, 0]


def test_sigterm_to_all_processes_of_a_group(tmp_path):
    """As from systemd: a worker gets it twice, which must not count as the second Ctrl+C."""
    (tmp_path / "gray").mkdir()
    write_brightness(tmp_path / "gray", 1)
    data = request("/predict", gray_png(200), "image/png")
    with (
        serving(tmp_path, tmp_path / "gray", "--workers", 2, start_new_session=True) as server,
        half_sent(server, data, 4) as connections,
    ):
        os.killpg(server.process.pid, signal.SIGTERM)
        time.sleep(0.5)
        for connection in connections:
            connection.sendall(data[-10:])
            assert received(connection).startswith(b"HTTP/1.1 200 ")
        assert server.process.wait(30) == 0


@pytest.mark.nightly
def test_the_second_ctrl_c_does_not_wait_for_requests(tmp_path):
    (tmp_path / "gray").mkdir()
    write_brightness(tmp_path / "gray", 1)
    data = request("/predict", gray_png(200), "image/png")
    with (
        serving(tmp_path, tmp_path / "gray", "--workers", 2) as server,
        half_sent(server, data, 4),
    ):
        begin = time.monotonic()
        server.process.send_signal(signal.SIGINT)
        time.sleep(1.5)
        assert server.process.poll() is None
        server.process.send_signal(signal.SIGINT)
        server.process.wait(30)
        assert time.monotonic() - begin < 10  # a body may take 30 seconds


def test_ctrl_c_and_the_end_of_the_supervisor(tmp_path):
    (tmp_path / "gray").mkdir()
    write_brightness(tmp_path / "gray", 1)
    for number, status in ((signal.SIGINT, 0), (signal.SIGKILL, -signal.SIGKILL)):
        with serving(tmp_path, tmp_path / "gray", "--workers", 2) as server:
            server.process.send_signal(number)
            assert server.process.wait(30) == status
            for line in events(server, "worker started"):
                wait_for(lambda line=line: not os.path.exists(f"/proc/{line['worker']}"))


def test_workers_that_cannot_start_end_the_command(tmp_path):
    from tests.fresh_process import run as run_program

    (tmp_path / "export" / "1").mkdir(parents=True)
    (tmp_path / "export" / "1" / "saved_model.pb").write_bytes(b"broken")
    program = "import sys; from kerascnn_apps.cli import main; main()"
    found = run_program(program, "serve", tmp_path, "--workers", 2, "--port", 0)
    assert found.returncode == 2, found.stderr
    assert "kerascnn: " in found.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--replicas", "2"], "`--replicas` needs `--ray`"),
        (["--ray", "local", "--replicas", "4-1"], "a range such as 1-4; got '4-1'"),
        (["--ray", "local", "--replicas", "0"], "a range such as 1-4; got '0'"),
        (["--ray", "local", "--workers", "2"], "`--workers` must not be given with `--ray`"),
        (["--ray", "local", "--port", "0"], "`--port` must be at least 1 with `--ray`"),
    ],
)
def test_options_that_exclude_each_other(tmp_path, capsys, words, sentence):
    assert run(["serve", str(tmp_path), *words]) == 2
    assert sentence in capsys.readouterr().err


def test_a_port_that_another_server_has(tmp_path, capsys):
    """Workers would share it."""

    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert run(["serve", str(tmp_path), "--workers", "2", "--port", port]) == 1
    assert "cannot be listened on" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has names that are no files")
def test_a_port_that_another_command_is_about_to_share(tmp_path, capsys):
    """Both have found it free, and neither listens yet."""

    from kerascnn_apps.serve.workers import reserved

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = ["serve", str(tmp_path), "--workers", "2", "--host", "localhost", "--port", str(port)]
    with reserved("127.0.0.1", port):
        assert run(words) == 1
    assert f"127.0.0.1:{port} cannot be listened on" in capsys.readouterr().err
    reserved("127.0.0.1", port).close()


def test_replicas():
    from kerascnn_apps.serve.main import replicas_of

    assert [replicas_of(word) for word in ("1", "2-2", "1-4")] == [(1, 1), (2, 2), (1, 4)]
