import threading
import time

import numpy as np
import pytest

from kerascnn_apps.serve.batching import Batcher
from tests.apps.serve.gate import Gate, doubled


@pytest.fixture
def gated():
    """A batcher whose first call, of one row, has begun and waits."""
    made = []

    def make(function=doubled, **options):
        gate = Gate(function)
        batcher = Batcher(gate, **options)
        made.append((gate, batcher))
        first = batcher.submit({"x": np.zeros((1, 2))})
        assert gate.entered.wait(10)
        return gate, batcher, first

    yield make
    for gate, batcher in made:
        gate.open.set()
        batcher.close()


def test_what_comes_in_meanwhile_shares_a_call(gated):
    gate, batcher, first = gated(max_batch=4)
    others = [batcher.submit({"x": np.full((1, 2), i)}) for i in range(6)]
    gate.open.set()
    assert [future.result(10)["y"].tolist() for future in others] == [
        [[2.0 * i, 2.0 * i]] for i in range(6)
    ]
    assert first.result(10)["y"].tolist() == [[0, 0]]
    assert gate.calls == [(1, 2), (4, 2), (2, 2)]


def test_other_sizes_and_types_are_computed_apart_and_do_not_hang(gated):
    gate, batcher, _ = gated()
    arrays = [np.zeros((1, 2)), np.ones((1, 3)), np.full((1, 2), 7.0), np.full((1, 3), 5, np.int8)]
    futures = [batcher.submit({"x": array}) for array in arrays]
    gate.open.set()
    for future, array in zip(futures, arrays, strict=True):
        np.testing.assert_array_equal(future.result(10)["y"], array * 2)
    assert gate.calls[1:] == [(2, 2), (1, 3), (1, 3)]


def test_a_wrong_item_fails_alone(gated):
    def picky(arrays):
        if (arrays["x"] < 0).any():
            raise ValueError("negative")
        return doubled(arrays)

    gate, batcher, _ = gated(picky)
    futures = [batcher.submit({"x": np.full((1, 2), value)}) for value in (1, -1, 3)]
    gate.open.set()
    assert futures[0].result(10)["y"][0, 0] == 2
    assert futures[2].result(10)["y"][0, 0] == 6
    with pytest.raises(ValueError, match="negative"):
        futures[1].result(10)


@pytest.mark.parametrize("error", [MemoryError(), SystemExit(1), KeyboardInterrupt()])
def test_it_survives_every_exception(error):
    def failing(arrays):
        if arrays["x"][0, 0] == 0:
            raise error
        return doubled(arrays)

    batcher = Batcher(failing)
    with pytest.raises(type(error)):
        batcher.submit({"x": np.zeros((1, 1))}).result(10)
    assert batcher.submit({"x": np.ones((1, 1))}).result(10)["y"].tolist() == [[2]]
    batcher.close()


def test_outputs_without_a_row_for_each_item_are_an_error():
    batcher = Batcher(lambda arrays: {"y": np.zeros(1)})
    with pytest.raises(ValueError, match="a row of 'y' for each of 2 rows"):
        batcher.submit({"x": np.zeros((2, 1))}).result(10)
    batcher.close()


def test_replies_are_never_mixed():
    batcher = Batcher(lambda arrays: (time.sleep(0.0005), doubled(arrays))[1], max_batch=8)
    wrong = []

    def client(number):
        for i in range(50):
            x = np.full((1 + i % 3, 2 + number % 2), 1000 * number + i)
            if not np.array_equal(batcher.submit({"x": x}).result(10)["y"], 2 * x):
                wrong.append((number, i))

    threads = [threading.Thread(target=client, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    batcher.close()
    assert not wrong


def test_items_whose_client_left_are_not_computed(gated):
    gate, batcher, _ = gated()
    left, stays = (batcher.submit({"x": np.zeros((1, 2))}) for _ in range(2))
    assert left.cancel()
    gate.open.set()
    stays.result(10)
    assert gate.calls == [(1, 2), (1, 2)]


def test_it_waits_for_a_full_batch_no_longer_than_told():
    calls = []
    batcher = Batcher(
        lambda arrays: (calls.append(len(arrays["x"])), doubled(arrays))[1],
        max_batch=2,
        max_delay=60,
    )
    futures = [batcher.submit({"x": np.zeros((1, 1))}) for _ in range(2)]
    for future in futures:  # full, so at once
        future.result(10)
    assert calls == [2]
    batcher.close()
    patient = Batcher(doubled, max_delay=0.05)
    begin = time.monotonic()
    patient.submit({"x": np.zeros((1, 1))}).result(10)
    assert time.monotonic() - begin >= 0.05
    patient.close()


def test_a_call_is_limited_in_size(gated):
    gate, batcher, _ = gated(max_size=10)
    futures = [batcher.submit({"x": np.zeros((1, 4))}) for _ in range(3)]
    large = batcher.submit({"x": np.zeros((1, 100))})
    gate.open.set()
    for future in (*futures, large):
        future.result(10)
    assert gate.calls[1:] == [(2, 4), (1, 4), (1, 100)]


def test_close_computes_what_waits(gated):
    gate, batcher, _ = gated()
    future = batcher.submit({"x": np.ones((1, 2))})
    gate.open.set()
    batcher.close()
    assert future.done()
    with pytest.raises(RuntimeError, match="closed"):
        batcher.submit({"x": np.ones((1, 2))})
