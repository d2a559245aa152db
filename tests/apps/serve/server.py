"""The command `kerascnn serve` in a process of its own, with models that TensorFlow writes."""

import contextlib
import json
import re
import socket
import subprocess
import sys
import threading
import time

import tensorflow as tf

from tests.apps.serve.fakes import gray_png
from tests.apps.serve.watch import prefer

_COMMAND = "from kerascnn_apps.cli import main; main()"


class Brightness(tf.Module):
    """A classifier of brightness; version `n` adds n to the mean."""

    def __init__(self, number):
        super().__init__()
        self.number = float(number)

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, None), tf.uint8, "images")])
    def serve(self, images):
        mean = tf.reduce_mean(tf.cast(images, tf.float32), axis=(1, 2, 3))
        class_id = tf.cast(mean > 127, tf.int64)
        light = mean / 255
        return {
            "probabilities": tf.stack([1 - light, light], -1),
            "class_id": class_id,
            "class_name": tf.gather(["dark", "light"], class_id),
            "version": tf.zeros_like(mean) + self.number,
        }


class Gray(tf.Module):
    """The classifier of `FakeExport`."""

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, None), tf.uint8, "images")])
    def serve(self, images):
        mean = tf.reduce_mean(tf.cast(images, tf.float32), axis=(1, 2, 3))
        class_id = tf.cast(mean > 127, tf.int64)
        names = tf.gather(["dark", "light"], class_id)
        return {"class_id": class_id, "class_name": names, "mean": mean}


class Halves(tf.Module):
    """Segments into dark and light, or enlarges twofold."""

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, None), tf.uint8, "images")])
    def mask(self, images):
        light = tf.reduce_mean(tf.cast(images, tf.float32), axis=-1) > 127
        return {"mask": tf.where(light, tf.constant(4, tf.uint8), tf.constant(1, tf.uint8))}

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, None), tf.uint8, "images")])
    def larger(self, images):
        return {"images": tf.repeat(tf.repeat(images, 2, axis=1), 2, axis=2)}


def write_brightness(folder, number):
    """Writes version `number`, whole, as `export` does."""
    module = Brightness(number)
    metadata = {"task": "classification", "class_names": ["dark", "light"]}
    return _write(folder, number, module, module.serve, metadata)


def write_gray(folder):
    module = Gray()
    return _write(folder, 1, module, module.serve, {"task": "classification"})


def write_mask(folder):
    module = Halves()
    metadata = {"task": "segmentation", "image": "mask", "values": [1, 4]}
    return _write(folder, 1, module, module.mask, metadata)


def write_larger(folder):
    module = Halves()
    metadata = {"task": "upscaling", "image": "images", "factor": 2}
    return _write(folder, 1, module, module.larger, metadata)


def _write(folder, number, module, function, metadata):
    written = folder / f".writing-{number}"
    tf.saved_model.save(module, str(written), signatures={"serving_default": function})
    (written / "assets.extra").mkdir(exist_ok=True)
    (written / "assets.extra" / "kerascnn.json").write_text(json.dumps(metadata))
    written.rename(folder / str(number))
    return folder


class Clients:
    """Threads that ask without a pause; `failed` has what did not get a right response.

    A refused connection was never taken on: it ends the client, as a balancer would go elsewhere,
    and is counted in `turned_away`.
    With `retries`, a client asks again where a response is missing or the server failed, as often
    as `retried` says.
    """

    def __init__(self, server, count=4, retries=False):
        self._url, self._count, self._retries = f"{server.url}/predict", count, retries
        self.failed, self.versions, self.done, self.retried = [], set(), 0, 0
        self.turned_away = 0

    def __enter__(self):
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._ask, args=(i,)) for i in range(self._count)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error):
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, number):
        import httpx

        value = 10 * number
        with httpx.Client(timeout=60) as client:
            while not self._ended.is_set():
                try:
                    found = self._response(client, gray_png(value))
                except httpx.ConnectError:
                    self.turned_away += 1
                    return
                except httpx.HTTPError as error:
                    self.failed.append(repr(error))
                    return
                answer = found.json()
                if found.status_code != 200 or round(255 * answer["probabilities"][1]) != value:
                    self.failed.append((found.status_code, answer))
                else:
                    self.versions.add(answer["version"])
                    self.done += 1

    def _response(self, client, file):
        import httpx

        for _ in range(100 if self._retries else 0):
            with contextlib.suppress(httpx.TransportError):
                found = client.post(self._url, content=file)
                if found.status_code not in (500, 503):
                    return found
            self.retried += 1
            time.sleep(0.1)
        return client.post(self._url, content=file)


class Server:
    """A running server: `url`, `port`, `process`, and the lines of its log so far."""

    def __init__(self, process, port, log):
        self.process, self.port, self._log = process, port, log
        self.url = f"http://127.0.0.1:{port}"

    def log(self):
        whole_lines = self._log.read_text().rpartition("\n")[0]  # the last may still be written
        return [json.loads(line) for line in whole_lines.splitlines()]

    def send(self, data, end=False, seconds=20):
        """Sends bytes and returns all that comes back; `end` closes the client's side first."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as connection:
            with contextlib.suppress(OSError):  # the server may have refused the rest
                connection.sendall(data)
            if end:
                connection.shutdown(socket.SHUT_WR)
            return received(connection)

    def status(self, data, **options):
        """Sends bytes and returns the status of the response, `None` without one."""
        found = re.match(rb"HTTP/1.1 (\d{3}) ", self.send(data, **options))
        return int(found[1]) if found else None


@contextlib.contextmanager
def half_sent(server, data, count):
    """Gives connections on which all but the last ten bytes of a request were sent."""
    with contextlib.ExitStack() as stack:
        connections = []
        for _ in range(count):
            made = socket.create_connection(("127.0.0.1", server.port), timeout=20)
            connections.append(stack.enter_context(made))
            made.sendall(data[:-10])
        time.sleep(0.2)
        yield connections


def received(connection):
    """Reads one response."""
    data = b""
    with contextlib.suppress(OSError):
        while part := connection.recv(65536):
            data += part
            head, end, body = data.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            if end and length and len(body) >= int(length[1]):
                break
    return data


def resident(server):
    """Memory of the server's process in bytes."""
    import httpx

    text = httpx.get(f"{server.url}/metrics").text
    (line,) = (line for line in text.splitlines() if line.startswith("process_resident_memory"))
    return float(line.split()[1])


def free_port():
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextlib.contextmanager
def serving(folder, *arguments, port=0, start_new_session=False):
    """Runs `kerascnn serve` and gives the `Server`, once it is ready."""
    log = folder / "log"
    with open(log, "w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-c", _COMMAND, "serve", *map(str, arguments), "--port", str(port)],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=start_new_session,
        )
    prefer(process)
    try:
        found = None
        for line in process.stdout:
            if line.startswith("Try it at"):
                found = int(re.search(r":(\d+)/", line)[1])
                break
        assert found, log.read_text()
        server = Server(process, found, log)
        until = time.monotonic() + 60
        while server.status(b"GET /readyz HTTP/1.1\r\nHost: a\r\n\r\n") != 200:
            assert time.monotonic() < until
        yield server
    finally:
        process.stdout.close()
        process.terminate()
        process.wait(60)
