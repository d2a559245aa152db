"""An hour of wrong requests in minutes, and new versions and SIGTERM under load."""

import signal
import threading
import time

import pytest

from kerascnn.export import classification_serving, export
from kerascnn.models import create_model
from tests.apps.serve.malformed import png_of_bits, request, requests
from tests.apps.serve.server import Clients, resident, serving, write_brightness
from tests.apps.serve.watch import MOST_LATE, Watch

pytestmark = [pytest.mark.extra("serve"), pytest.mark.nightly]

# One a second
COUNT = 3600


def largest():
    """An image that has all the pixels that it may have."""
    return "largest", request("/predict", png_of_bits(5000, 5000), "image/png"), {200}


def asked(count):
    """Wrong requests, with one in 50 replaced by an image as large as allowed."""
    for i, wrong in enumerate(requests(3, count)):
        yield wrong if i % 50 else largest()


def send_all(server, triples, clients=4):
    """Sends from several threads, and returns what got a status that it may not get."""
    lock, wrong = threading.Lock(), []
    triples = iter(triples)

    def work():
        while True:
            with lock:
                found = next(triples, None)
            if found is None:
                return
            name, data, allowed = found
            status = server.status(data, end=None in allowed)
            if status not in allowed:
                wrong.append((name, status, data[:80]))

    threads = [threading.Thread(target=work) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wrong


def test_an_hour_of_wrong_requests(tmp_path):
    model = create_model("lenet5")
    export(model, tmp_path / "model", serving=classification_serving(model))
    times = ("--max-body-mb", 1, "--header-seconds", 1, "--body-seconds", 1)
    with serving(
        tmp_path, tmp_path / "model", "--name", f"gray={tmp_path}/model", *times
    ) as server:
        # What is loaded at first stays, and so do the pools of memory of each thread.
        assert not send_all(server, [largest()] * 40)
        assert not send_all(server, asked(100))
        before = resident(server)
        with Watch(server) as watch:
            wrong = send_all(server, asked(COUNT))
        after = resident(server)
        tracebacks = [line for line in server.log() if "traceback" in line]
    print(f"/healthz: {watch}, {watch.late():.2%} late")
    print(f"memory: {before / 2**20:.0f} MiB before, {after / 2**20:.0f} MiB after")
    assert not wrong
    assert not tracebacks
    assert after < 1.1 * before
    assert watch.late() <= MOST_LATE


@pytest.mark.parametrize("workers", [1, 2])
def test_new_versions_and_sigterm_lose_no_request(tmp_path, workers):
    (tmp_path / "gray").mkdir()
    write_brightness(tmp_path / "gray", 1)
    words = ("--workers", workers, "--poll-seconds", 0.1)
    with serving(tmp_path, tmp_path / "gray", *words) as server, Clients(server, 8) as clients:
        for number in range(2, 22):
            write_brightness(tmp_path / "gray", number)
            until = time.monotonic() + 60
            while number not in clients.versions:
                assert time.monotonic() < until
                time.sleep(0.02)
        assert not clients.turned_away
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(60) == 0
    print(f"{clients.done} requests, 21 versions, {workers} workers")
    assert not clients.failed
    assert len(clients.versions) == 21
    assert clients.done > 1000
