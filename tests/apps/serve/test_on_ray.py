"""Replicas on a Ray cluster: `kerascnn serve --ray local --replicas 2`."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from tests.apps.serve.fakes import gray_png
from tests.apps.serve.malformed import request
from tests.apps.serve.server import Clients, free_port, serving, write_brightness

pytestmark = [
    pytest.mark.extra("serve"),
    pytest.mark.extra("ray"),
    pytest.mark.nightly,
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("serving")
    (folder / "gray").mkdir()
    write_brightness(folder / "gray", 1)
    words = ("--ray", "local", "--replicas", 2, "--poll-seconds", 0.1, "--max-queue", 2)
    with serving(folder, folder / "gray", *words, port=free_port()) as server:
        server.folder = folder / "gray"
        yield server


def replicas(server):
    """The processes of the replicas, which are below that of the command."""
    found, left = set(), [server.process.pid]
    while left:
        pid = left.pop()
        try:
            name = Path(f"/proc/{pid}/cmdline").read_text()
            for file in Path(f"/proc/{pid}/task").glob("*/children"):
                left += map(int, file.read_text().split())
        except OSError:  # it has ended meanwhile
            continue
        if name.startswith("ray::ServeReplica:kerascnn"):
            found.add(pid)
    return found


def wait_for(condition, seconds=120):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_new_version_reaches_all_replicas(server):
    with Clients(server, 1) as clients:
        wait_for(lambda: clients.done)
        write_brightness(server.folder, 2)
        wait_for(lambda: 2 in clients.versions)
        time.sleep(2)
        clients.versions.clear()
        done = clients.done
        wait_for(lambda: clients.done > done + 40)
    assert not clients.failed
    assert clients.versions == {2}


def test_a_full_queue_gets_429_with_retry_after(server):
    """Both replicas have two places."""
    import httpx

    refused, ended = [], threading.Event()

    def ask():
        with httpx.Client(timeout=60) as client:
            while not ended.is_set():
                found = client.post(f"{server.url}/predict", content=gray_png(5))
                if found.status_code != 200:
                    refused.append(found)
                    ended.set()

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    ended.wait(60)
    ended.set()
    for thread in threads:
        thread.join()
    assert {found.status_code for found in refused} == {429}
    assert refused[0].headers["retry-after"] == "1"
    assert "2 images wait already" in refused[0].json()["error"]


def test_figures_are_those_of_ray(server):
    import httpx

    found = httpx.get(f"{server.url}/metrics")
    assert found.status_code == 404
    assert "Ray exports the figures" in found.json()["error"]


def test_a_killed_replica_comes_back_and_no_request_is_lost(server):
    assert len(replicas(server)) == 2
    victim = min(replicas(server))
    with Clients(server, 2, retries=True) as clients:
        wait_for(lambda: clients.done > 20)
        os.kill(victim, signal.SIGKILL)
        wait_for(lambda: len(replicas(server) - {victim}) == 2)
        done = clients.done
        wait_for(lambda: clients.done > done + 20)
    assert not clients.failed


def test_z_sigterm(server):
    """The last test: it ends the server and the cluster."""
    assert server.status(request("/predict", gray_png(200), "image/png")) == 200
    before = replicas(server)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(120) == 0
    wait_for(lambda: not [pid for pid in before if Path(f"/proc/{pid}").exists()])


def test_replicas_that_cannot_start_end_the_command(tmp_path):
    from tests.fresh_process import run

    (tmp_path / "export" / "1").mkdir(parents=True)
    (tmp_path / "export" / "1" / "saved_model.pb").write_bytes(b"broken")
    program = "import sys; from kerascnn_apps.cli import main; main()"
    found = run(program, "serve", tmp_path, "--ray", "local", "--port", free_port())
    assert found.returncode == 1
    assert "kerascnn: " in found.stderr


def test_no_export(tmp_path):
    from tests.fresh_process import run

    program = "import sys; from kerascnn_apps.cli import main; main()"
    found = run(program, "serve", tmp_path, "--ray", "local", "--port", free_port())
    assert found.returncode == 2
    assert "has no exported model" in found.stderr


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # pydantic's, of Ray's own use
def test_no_cluster():
    from kerascnn_apps.serve.on_ray import check_reachable

    for address in (f"127.0.0.1:{free_port()}", f"ray://127.0.0.1:{free_port()}"):
        with pytest.raises(ConnectionError, match=f"no Ray cluster at {address} .*--ray local"):
            check_reachable(address)
    for address in ("local", "auto"):
        check_reachable(address)
