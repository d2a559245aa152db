"""Batches of an event loop: outputs that come together, and short calls that are made in it."""

import asyncio
import contextlib
import threading
import time

import numpy as np
import pytest

from kerascnn_apps.serve import batching
from kerascnn_apps.serve.batching import Batcher, _CallSeconds, _Item
from tests.apps.serve.gate import Gate, doubled


class Seconds:
    """A function that takes some seconds and records its threads and rows."""

    def __init__(self, seconds):
        self.seconds, self.calls = seconds, []

    def __call__(self, arrays):
        self.calls.append((threading.current_thread(), len(arrays["x"])))
        time.sleep(self.seconds)
        return doubled(arrays)


async def idle(batcher):
    """Waits until the thread waits for items."""
    while not batcher._changed._waiters:
        await asyncio.sleep(0.001)


async def entered(gate):
    """Waits until a call has begun."""
    assert await asyncio.get_running_loop().run_in_executor(None, gate.entered.wait, 10)


def computed_in_turn(function, arrays, **options):
    """Awaits the outputs for each array, one after the other."""

    async def ask():
        found = []
        for x in arrays:
            await idle(batcher)
            found.append((await batcher.compute({"x": x}))["y"])
        return found

    batcher = Batcher(function, **options)
    outputs = asyncio.run(ask())
    batcher.close()
    for x, y in zip(arrays, outputs, strict=True):
        np.testing.assert_array_equal(y, 2 * x)


@pytest.fixture
def patience(monkeypatch):
    """Calls seldom take as long as what is short now, even on a busy machine."""
    monkeypatch.setattr(batching, "_SHORT_SECONDS", 5)


def test_short_calls_are_made_in_the_event_loop_once_one_was_seen(patience):
    function = Seconds(0)
    computed_in_turn(function, [np.full((1, 4), i) for i in range(4)])
    here = [thread is threading.current_thread() for thread, _ in function.calls]
    assert here == [False, True, True, True]


@pytest.mark.parametrize(("seconds", "options"), [(0.01, {}), (0, {"max_delay": 0.001})])
def test_long_calls_and_those_that_wait_for_others_leave_the_event_loop_alone(seconds, options):
    function = Seconds(seconds)
    computed_in_turn(function, [np.full((1, 4), i) for i in range(4)], **options)
    assert threading.current_thread() not in [thread for thread, _ in function.calls]


def test_calls_that_fail_soon_do_not_move_long_ones_into_the_event_loop():
    threads = []

    def picky(arrays):
        if (arrays["x"] < 0).any():
            raise ValueError("negative")
        threads.append(threading.current_thread())
        time.sleep(0.01)
        return doubled(arrays)

    async def ask():
        for value in (1, -1, -1, -1, 1):
            await idle(batcher)
            with contextlib.nullcontext() if value > 0 else pytest.raises(ValueError):
                await batcher.compute({"x": np.full((1, 4), value)})

    batcher = Batcher(picky)
    asyncio.run(ask())
    batcher.close()
    assert len(threads) == 2
    assert threading.current_thread() not in threads


def test_calls_with_text_leave_the_event_loop_alone(patience):
    threads = []

    def lengths(arrays):
        threads.append(threading.current_thread())
        return {"y": np.array([len(text) for text in arrays["x"]])}

    async def ask():
        for length in range(3):
            await idle(batcher)
            found = await batcher.compute({"x": np.array([b"a" * length], object)})
            assert found["y"].tolist() == [length]

    batcher = Batcher(lengths)
    asyncio.run(ask())
    batcher.close()
    assert threading.current_thread() not in threads


def test_long_calls_among_short_ones_are_forgiven_until_there_are_three():
    one, many = ([_Item({"x": np.zeros((rows, 4))})] for rows in (1, 9))
    seconds = _CallSeconds()
    assert seconds.expected(one) == np.inf
    seconds.add(one, 1.0)
    assert seconds.expected(one) == 1.0
    seconds.add(one, 0.001)
    for _ in range(2):
        assert seconds.expected(one) == 0.001
        seconds.add(one, 2.0)
    seconds.add(one, 2.5)
    assert seconds.expected(one) == 2.0
    assert seconds.expected(many) == np.inf


def test_what_comes_in_one_round_of_the_event_loop_shares_a_call(patience):
    function = Seconds(0)
    batcher = Batcher(function, max_batch=8)

    async def ask(count):
        await idle(batcher)
        arrays = [np.full((1, 4), i) for i in range(count)]
        found = await asyncio.gather(*(batcher.compute({"x": x}) for x in arrays))
        for x, outputs in zip(arrays, found, strict=True):
            np.testing.assert_array_equal(outputs["y"], 2 * x)

    async def ask_all():
        await idle(batcher)
        for rows in (1, 2, 8):  # each was seen
            await batcher.compute({"x": np.zeros((rows, 4))})
        function.calls.clear()
        await ask(10)

    asyncio.run(ask_all())
    batcher.close()
    assert function.calls == [(threading.current_thread(), 8), (threading.current_thread(), 2)]


def test_a_short_call_waits_for_the_one_in_the_thread(patience):
    gate = Gate()
    gate.open.set()
    batcher = Batcher(gate)
    one, many = np.ones((1, 4)), np.ones((8, 4))

    async def ask():
        await idle(batcher)
        await batcher.compute({"x": one})  # its size is known now
        await idle(batcher)
        gate.open.clear()
        gate.entered.clear()
        long = batcher.submit({"x": many})
        await entered(gate)
        short = asyncio.create_task(batcher.compute({"x": one}))
        await asyncio.sleep(0.02)
        assert gate.calls == [one.shape, many.shape]
        gate.open.set()
        assert (await short)["y"].tolist() == (2 * one).tolist()
        assert long.result(10)["y"].tolist() == (2 * many).tolist()

    asyncio.run(ask())
    batcher.close()
    assert gate.calls == [one.shape, many.shape, one.shape]


def test_the_thread_waits_for_a_call_in_the_event_loop(patience):
    rows, inside = [], []

    def function(arrays):
        rows.append(len(arrays["x"]))
        if threading.current_thread() is threading.main_thread():
            inside.append(batcher.submit({"x": np.ones((8, 4))}))
            time.sleep(0.02)
            assert rows == [1, 1]
        return doubled(arrays)

    batcher = Batcher(function)

    async def ask():
        for _ in range(2):
            await idle(batcher)
            await batcher.compute({"x": np.ones((1, 4))})

    asyncio.run(ask())
    assert inside[0].result(10)["y"].shape == (8, 4)
    batcher.close()
    assert rows == [1, 1, 8]


@pytest.mark.parametrize("is_seen", [False, True])
def test_a_wrong_item_fails_alone_in_an_event_loop(is_seen, patience):
    threads = []

    def picky(arrays):
        threads.append(threading.current_thread())
        if (arrays["x"] < 0).any():
            raise ValueError("negative")
        return doubled(arrays)

    batcher = Batcher(picky)

    async def ask():
        await idle(batcher)
        if is_seen:
            for rows in (1, 3):
                await batcher.compute({"x": np.ones((rows, 2))})
            await idle(batcher)
        threads.clear()
        items = ({"x": np.full((1, 2), value)} for value in (1, -1, 3))
        return await asyncio.gather(*map(batcher.compute, items), return_exceptions=True)

    first, wrong, last = asyncio.run(ask())
    batcher.close()
    assert isinstance(wrong, ValueError)
    assert (first["y"][0, 0], last["y"][0, 0]) == (2, 6)
    if is_seen:  # each alone in the thread, so that the event loop waits for no more than one call
        here = [thread is threading.current_thread() for thread in threads]
        assert here == [True, False, False, False]


def test_an_error_that_asyncio_refuses_is_passed_on_as_another():
    def stop(arrays):
        raise StopIteration

    batcher = Batcher(stop)
    with pytest.raises(RuntimeError, match="StopIteration"):
        asyncio.run(batcher.compute({"x": np.zeros((1, 2))}))
    batcher.close()


def test_an_item_whose_request_was_cancelled_is_not_computed():
    gate = Gate()
    batcher = Batcher(gate)

    async def ask():
        first = asyncio.create_task(batcher.compute({"x": np.zeros((1, 4))}))
        await entered(gate)
        left = asyncio.create_task(batcher.compute({"x": np.zeros((1, 4))}))
        await asyncio.sleep(0)
        left.cancel()
        gate.open.set()
        await first
        return (await batcher.compute({"x": np.ones((1, 4))}))["y"].tolist()

    assert asyncio.run(ask()) == [[2, 2, 2, 2]]
    batcher.close()
    assert len(gate.calls) == 2


def test_outputs_for_an_event_loop_that_is_closed_are_left():
    gate = Gate()
    batcher = Batcher(gate)

    async def leave():
        task = asyncio.ensure_future(batcher.compute({"x": np.zeros((1, 2))}))
        await entered(gate)
        task.cancel()

    asyncio.run(leave())
    gate.open.set()
    assert batcher.submit({"x": np.ones((1, 2))}).result(10)["y"].tolist() == [[2, 2]]
    batcher.close()
