"""Load on `kerascnn serve`, next to the model in-process and to a plain loop over FastAPI.

    kerascnn classify export RUN     # for each model
    python benchmarks/serving.py runs/lenet/export runs/resnet/export --side 28 --side 224 \\
        --out benchmarks/results/serving.md

The clients are this process, the server is another one; both share the machine. For each model:
what many clients get who ask without a pause (the rate it can hold), then requests that come at
80 %, 100 % and 200 % of that rate, whether or not earlier ones have a response. At 80 and 100 %
they come on as many connections as there were clients, and wait for one of them; at 200 % there are
as many connections as it takes. Latency counts from the time at which a request was due. Other
programs of a machine disturb all requests of a moment; so the table also has the median of the 99th
percentiles of windows of four seconds, of which 60 seconds have 15.

    python benchmarks/serving.py runs/lenet/export \\
        --other "../before/.venv/bin/kerascnn serve runs/lenet/export"

measures another server and `kerascnn serve` in turn instead, with `--clients`: 15 rounds of 2
seconds each, whatever `--seconds` says.
"""

import argparse
import asyncio
import collections
import contextlib
import gc
import io
import math
import os
import re
import shlex
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import uvloop
from PIL import Image
from timing import write_page

_SERVE = (sys.executable, "-c", "from kerascnn_apps.cli import main; main()", "serve")
# Shorter than servers keep connections open, so that none is closed while a request is on its way
_IDLE_SECONDS = 5
_WINDOW_SECONDS = 4
_PLAIN = Path(__file__).with_name("plain_server.py")
_IN_PROCESS = """
import sys, time
import numpy as np
from kerascnn_apps.serve.exported import Exported
from kerascnn_apps.serve.models import newest_versions

exported = Exported(*newest_versions(sys.argv[1]).values())
side, seconds = int(sys.argv[2]), float(sys.argv[3])
for batch in (1, 32):
    images = np.random.default_rng(0).integers(0, 256, (batch, side, side, 3), np.uint8)
    exported(images=images)
    count, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < seconds:
        exported(images=images)
        count += batch
    print(count / (time.perf_counter() - begin))
"""


def noise_request(side):
    """The bytes of a request with a PNG file of noise."""
    file = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    Image.fromarray(pixels).save(file, "PNG")
    body = file.getvalue()
    head = "POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Connection(asyncio.Protocol):
    """Sends one request at a time; a plain protocol, which takes little of the machine.

    Args:
        load: `Load` that takes the status of each response, or the name of an error.
    """

    def __init__(self, load):
        self._load, self._due, self._received = load, None, b""
        self.idle_since = 0.0

    def connection_made(self, transport):
        self.transport = transport

    def ask(self, due):
        self._due, self._received = due, b""
        self.transport.write(self._load.request)

    def data_received(self, data):
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found or self._due is None:
            return
        head = head.lower()
        if len(body) < int(re.search(rb"content-length: (\d+)", head)[1]):
            return
        due, self._due, self.idle_since = self._due, None, time.monotonic()
        if b"connection: close" in head:
            self.transport.close()
        else:
            self._load.idle.append(self)
        self._load.on_response(int(head[9:12]), due)

    def connection_lost(self, error):
        self._load.on_lost()
        if self._due is not None:
            self._load.on_response(type(error).__name__ if error else "no response", self._due)


class Load:
    """Asks a server; `results` has status, seconds, and when it was due, for each request.

    Args:
        port: int.
        request: bytes.
        max_connections: float.
    """

    def __init__(self, port, request, max_connections=math.inf):
        self._port, self.request, self._max_connections = port, request, max_connections
        self.idle, self.results, self._connecting = [], [], set()
        self._count, self._waiting = 0, collections.deque()
        self._again, self._left, self._done = None, 0, asyncio.Event()

    def on_response(self, status, due):
        self.results.append((status, time.monotonic() - due, due))
        self._left -= 1
        self._ask_next()
        if self._again is not None:
            self._again()
        if self._left <= 0:
            self._done.set()

    def on_lost(self):
        self._count -= 1
        self._ask_next()

    def _ask_next(self):
        if self._waiting and (self.idle or self._count < self._max_connections):
            self._ask(self._waiting.popleft())

    def _ask(self, due):
        while self.idle:
            connection = self.idle.pop()
            open_still = not connection.transport.is_closing()
            if open_still and time.monotonic() - connection.idle_since < _IDLE_SECONDS:
                connection.ask(due)
                return
            connection.transport.close()
        if self._count >= self._max_connections:
            self._waiting.append(due)
            return
        self._count += 1
        task = asyncio.get_running_loop().create_task(self._connect(due))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _connect(self, due):
        try:
            loop = asyncio.get_running_loop()
            create = loop.create_connection(lambda: Connection(self), "127.0.0.1", self._port)
            _, connection = await create
        except OSError as error:
            self._count -= 1
            self.on_response(type(error).__name__, due)
        else:
            connection.ask(due)

    async def closed(self, clients, seconds):
        """Each client asks again as soon as it has a response."""
        end = time.monotonic() + seconds
        self._left = clients

        def again():
            if (now := time.monotonic()) < end:
                self._left += 1
                self._ask(now)

        self._again = again
        for _ in range(clients):
            self._ask(time.monotonic())
        await self._done.wait()

    async def opened(self, rate, seconds):
        """Requests come at a rate."""
        begin, count = time.monotonic(), int(rate * seconds)
        self._left = count
        for i in range(count):
            due = begin + i / rate
            if (early := due - time.monotonic()) > 0:
                await asyncio.sleep(early)
            elif i % 16 == 0:
                await asyncio.sleep(0)  # responses are read
            self._ask(due)
        late = time.monotonic() - begin - seconds
        if late > 0.02 * seconds:
            print(f"The clients sent the last request {late:.1f} s late.", file=sys.stderr)
        await self._done.wait()


def measured(port, request, kind, *arguments, max_connections=math.inf):
    """A row of figures: responses a second, p50 and p99 in ms, p99 of windows, the statuses."""
    load = Load(port, request, max_connections)
    begin = time.monotonic()
    uvloop.run(getattr(load, kind)(*arguments))
    took = time.monotonic() - begin
    good = [(1000 * seconds, due - begin) for status, seconds, due in load.results if status == 200]
    milliseconds = [found for found, _ in good]
    p50, p99 = np.percentile(milliseconds, (50, 99)) if good else (np.nan, np.nan)
    statuses = collections.Counter(str(status) for status, _, _ in load.results)
    text = ", ".join(f"{status}: {count}" for status, count in sorted(statuses.items()))
    return len(good) / took, p50, p99, _p99_of_windows(good), text


def _p99_of_windows(good):
    """The median of the 99th percentiles of windows; NaN if there are fewer than 15."""
    windows = collections.defaultdict(list)
    for milliseconds, due in good:
        windows[due // _WINDOW_SECONDS].append(milliseconds)
    if len(windows) < 15:
        return np.nan
    return statistics.median(np.percentile(found, 99) for found in windows.values())


@contextlib.contextmanager
def server(*command):
    """Runs a server on a free port, and gives the port once it responds."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [*command, "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TF_ENABLE_ONEDNN_OPTS": "1"},
    )
    try:
        while True:
            if process.poll() is not None:
                raise SystemExit(f"{command} ended")
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port)).close()
                break
            time.sleep(0.2)
        yield port
    finally:
        process.terminate()
        process.wait(60)


def rows_of(folder, side, seconds, clients):
    """The lines of the table for one model."""
    request = noise_request(side)
    environment = {**os.environ, "TF_ENABLE_ONEDNN_OPTS": "1"}
    found = subprocess.run(
        [sys.executable, "-c", _IN_PROCESS, folder, str(side), str(min(seconds, 10))],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    one, many = map(float, found.stdout.split())
    name = Path(folder).resolve()
    name = name.parent.name if name.name == "export" else name.name
    yield name, "in-process, one by one", one, 1000 / one, np.nan, np.nan, ""
    yield name, "in-process, by 32", many, np.nan, np.nan, np.nan, ""
    short = min(seconds, 10)
    with server(sys.executable, str(_PLAIN), folder) as port:
        measured(port, request, "closed", clients, 1)
        for count in (1, clients):
            figures = measured(port, request, "closed", count, short)
            yield name, f"plain loop, {_clients(count)}", *figures
    with server(*_SERVE, folder) as port:
        measured(port, request, "closed", clients, 1)
        for count in (1, clients):
            figures = measured(port, request, "closed", count, short)
            yield name, f"`kerascnn serve`, {_clients(count)}", *figures
        rate = figures[0]
        for share, most in ((0.8, clients), (1, clients), (2, math.inf)):
            arguments = ("opened", share * rate, seconds)
            figures = measured(port, request, *arguments, max_connections=most)
            yield name, f"`kerascnn serve` at {share * rate:.0f} a second", *figures
    with server(*_SERVE, folder, "--workers", "2") as port:
        measured(port, request, "closed", clients, 1)
        figures = measured(port, request, "closed", clients, short)
        yield name, f"`kerascnn serve --workers 2`, {_clients(clients)}", *figures


def _clients(count):
    return "1 client" if count == 1 else f"{count} clients"


def in_turn(folder, side, other, clients, rounds=15, seconds=2):
    """The lines of a table of `kerascnn serve` and another server, which take turns."""
    request = noise_request(side)
    commands = {
        "the other server": other,
        "`kerascnn serve`": (*_SERVE, folder),
        "`kerascnn serve --workers 2`": (*_SERVE, folder, "--workers", "2"),
    }
    with contextlib.ExitStack() as stack:
        ports = {name: stack.enter_context(server(*words)) for name, words in commands.items()}
        for port in ports.values():
            measured(port, request, "closed", clients, seconds)
        found = {name: [] for name in ports}
        for _ in range(rounds):
            for name, port in ports.items():
                found[name].append(measured(port, request, "closed", clients, seconds)[0])
    before = found["the other server"]
    yield "| | images a second | ratio |"
    yield "|---|---|---|"
    for name, rates in found.items():
        ratio = statistics.median(now / then for now, then in zip(rates, before, strict=True))
        yield f"| {name} | {statistics.median(rates):.0f} | {ratio:.2f} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", nargs="+", help="folders `export` of runs")
    parser.add_argument("--side", type=int, action="append", help="of the images, for each model")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--other", type=shlex.split, help="command of a server to take turns with")
    parser.add_argument("--out", type=Path, help="file of the table")
    arguments = parser.parse_args()
    gc.disable()  # its searches would count as latency
    sides = arguments.side or [28] * len(arguments.folders)
    if arguments.other:
        if len(arguments.folders) > 1 or arguments.out:
            parser.error("--other takes one folder, and no --out")
        for line in in_turn(arguments.folders[0], sides[0], arguments.other, arguments.clients):
            print(line, flush=True)
        return
    lines = [
        "| model | | images a second | p50 ms | p99 ms | p99 ms, median of windows | statuses |",
        "|---|---|---|---|---|---|---|",
    ]
    for folder, side in zip(arguments.folders, sides, strict=True):
        for name, what, *figures, text in rows_of(
            folder, side, arguments.seconds, arguments.clients
        ):
            shown = (f"{value:.1f}" if np.isfinite(value) else "" for value in figures)
            lines.append(f"| {name} | {what} | {' | '.join(shown)} | {text} |")
            print(lines[-1], flush=True)
    if arguments.out:
        write_page(arguments.out, "# Serving\n\n{rows}\n", rows="\n".join(lines))


if __name__ == "__main__":
    main()
