"""Requests that have ended while something is still done for them, and what waits for them."""

import base64
import io
import json
import threading

import numpy as np
import pytest
from PIL import Image

from tests.apps.serve.fakes import client_of, limits, refused

pytestmark = pytest.mark.extra("serve")


def test_what_an_ended_request_would_take_is_refused():
    """A thread may still decode for it, and nobody would give that back."""
    from kerascnn_apps.serve.limits import Budget, EndedRequestError, Held

    budget = Budget(10, "full")
    with Held(budget) as held:
        held.take(3)
    with pytest.raises(EndedRequestError):
        held.take(3)
    assert budget.held == 0


def test_a_request_that_fails_while_another_of_its_images_is_decoded_holds_nothing(
    tmp_path, monkeypatch
):
    from kerascnn_apps.serve import service

    entered, gate, ended = threading.Event(), threading.Event(), threading.Event()

    class SlowToOpen(service.EncodedImage):
        def __init__(self, encoded, *arguments):
            if encoded == wrong:
                entered.wait(10)
            super().__init__(encoded, *arguments)
            entered.set()
            gate.wait(20)

    class Watched(service.Held):
        def take(self, amount):
            try:
                super().take(amount)
            finally:
                ended.set()

    monkeypatch.setattr(service, "EncodedImage", SlowToOpen)
    monkeypatch.setattr("kerascnn_apps.serve.tensorflow_rest.Held", Watched)
    file = io.BytesIO()
    Image.frombytes("L", (70, 70), np.random.default_rng(0).bytes(4900)).save(file, "PNG")
    large, wrong = file.getvalue(), bytes(5000)  # so that threads take them
    files = [{"b64": base64.b64encode(item).decode()} for item in (large, wrong)]
    body = {"signature_name": "encoded_images", "instances": files}
    with client_of(tmp_path) as client:
        refused(client.post("/v1/models/gray:predict", json=body), 400, "got 5000 bytes")
        assert entered.is_set()
        ended.clear()
        gate.set()
        assert ended.wait(10)
        assert "kerascnn_held_bytes 0.0" in client.get("/metrics").text


def test_reading_json_counts_as_time_of_the_request(tmp_path, monkeypatch):
    """Images do not wait for it."""
    from kerascnn_apps.serve import json_process

    entered, gate = threading.Event(), threading.Event()

    def slow(process, body):
        if len(body) < json_process.LARGE:
            return json.loads(body)
        entered.set()
        gate.wait(20)
        return json.loads(body)

    monkeypatch.setattr(json_process.JsonProcess, "__call__", slow)
    large = {"instances": np.zeros((1, 300, 300, 1), int).tolist()}
    assert len(json.dumps(large)) > json_process.LARGE
    file = io.BytesIO()
    Image.new("L", (100, 100), 5).save(file, "PNG")  # which a thread decodes
    statuses = []
    with client_of(tmp_path, limits=limits(request_seconds=1)) as client:

        def ask():
            statuses.append(client.post("/v1/models/gray:predict", json=large).status_code)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        assert entered.wait(10)
        assert client.post("/predict", content=file.getvalue()).status_code == 200
        small = {"instances": np.zeros((1, 2, 2, 1), int).tolist()}
        assert client.post("/v1/models/gray:predict", json=small).status_code == 200
        for thread in threads:
            thread.join()
        gate.set()
    assert statuses == [504] * 4
