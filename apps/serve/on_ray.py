"""The server as an application of Ray Serve: replicas on a cluster, behind Ray's own HTTP proxy.

    kerascnn serve runs/digits --ray auto --replicas 1-4

A replica is a process with the whole application of `create_app`, so clients see the same
interfaces. It loads the models by the paths that the command was given.
"""

import contextlib
import dataclasses
import os
import signal
import socket
import sys
import threading
import uuid
from pathlib import Path

# Ray drops lines that look alike; each of the log is a request.
os.environ.setdefault("RAY_DEDUP_LOGS", "0")

import ray
from ray import serve
from ray.serve.metrics import Gauge, Histogram

from kerascnn.arguments import UsageError
from kerascnn_apps.serve.log import log_to
from kerascnn_apps.serve.metrics import ROWS, SECONDS
from kerascnn_apps.serve.models import newest_versions
from kerascnn_apps.serve.process import SWITCH_SECONDS, search_garbage_rarely
from kerascnn_apps.serve.refusal import RefusedError

APPLICATION = "kerascnn"
# Loading a model fails in the same way each time.
_STARTS = 2


class RayMetrics:
    """The figures of a replica, which Ray adds to the others'; it counts requests itself.

    Args:
        queue: `Budget` of images.
        held: `Budget` of bytes.
    """

    def __init__(self, queue, held):
        self._rows = Histogram("kerascnn_batch_images", "Images in a call", list(ROWS), ("model",))
        self._calls = Histogram(
            "kerascnn_model_seconds", "Seconds of a call of a model", list(SECONDS), ("model",)
        )
        waiting = Gauge("kerascnn_queue_images", "Images that wait or are computed")
        queue.on_change = waiting.set

    def on_request(self, route, status, seconds=None):
        """Does nothing."""

    def on_batch(self, model, rows, seconds):
        """Counts a call of a model."""
        self._rows.observe(rows, {"model": model})
        self._calls.observe(seconds, {"model": model})

    def text(self):
        """Refuses: a request reaches one replica only."""
        raise RefusedError(
            404, "Ray exports the figures of all replicas: see the metrics port of its nodes."
        )


@serve.ingress()
class Replica:
    """A replica of the server.

    Args:
        plan: `Plan`.
        owner: str, names the command that deployed it.
    """

    def __init__(self, plan, owner):
        sys.setswitchinterval(SWITCH_SECONDS)
        log_to()
        search_garbage_rarely()
        self._owner, self._plan_app = owner, plan.app(RayMetrics)

    def __serve_build_asgi_app__(self):
        return self._plan_app

    def newest(self):
        """Returns what `Models.newest` does."""
        return self._plan_app.state.service.models.newest()

    def owner(self):
        """Returns which command deployed it."""
        return self._owner


def application(plan, fewest=1, most=1, owner=""):
    """Returns what `serve.run` takes.

    Args:
        plan: `Plan`, with paths that exist on each node.
        fewest: int, how many replicas there are at least.
        most: int, how many there are at most; Ray adds some while the ongoing requests of each
            are more than a call of a model takes.
        owner: str, names the command that deploys it.
    """
    limits = plan.limits
    count = (
        {"num_replicas": fewest}
        if fewest == most
        else {
            "autoscaling_config": {
                "min_replicas": fewest,
                "max_replicas": most,
                "target_ongoing_requests": limits.max_batch,
            }
        }
    )
    made = serve.deployment(
        Replica,
        name="server",
        # Replicas refuse what their own limits do; Ray refuses what would wait for a replica.
        max_ongoing_requests=limits.max_connections,
        max_queued_requests=limits.max_connections,
        backpressure_config={"status_code": 429, "retry_after_s": 1},
        graceful_shutdown_timeout_s=2 * limits.drain_seconds + 5,
        max_constructor_retry_count=_STARTS,
        ray_actor_options={"num_cpus": 1},
        logging_config={"enable_access_log": False, "log_level": "WARNING"},
        **count,
    )
    return made.bind(plan, owner)


def check_reachable(address, seconds=10):
    """Raises an error where nobody listens at an address; Ray would keep trying for minutes.

    Args:
        address: str, as for `ray.init`: only `HOST:PORT` and `ray://HOST:PORT` can be checked.
        seconds: float, how long to wait.

    Raises:
        ConnectionError: if nobody listens.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), seconds).close()
    except OSError as error:
        raise ConnectionError(
            f"There is no Ray cluster at {address} ({error}): start one with `ray start --head`, "
            "or use `--ray local`."
        ) from error


def run_on_ray(plan, host, port, on_ready, address, fewest, most):
    """Serves on a cluster until SIGTERM or Ctrl+C, and deletes the application then.

    An application that another command has deployed meanwhile stays.

    Args:
        plan: `Plan`.
        host: str, of Ray's HTTP proxies.
        port: int, of Ray's HTTP proxies.
        on_ready: function of what `Models.newest` returns, of the port, and of a text.
        address: str, as for `ray.init`.
        fewest: int, as for `application`.
        most: int, as for `application`.

    Raises:
        FileNotFoundError: if a folder has no export.
        ConnectionError: if there is no cluster at the address.
        UsageError: if Ray Serve runs on the cluster already and listens elsewhere.
        RuntimeError: if the replicas cannot start.
    """
    named = {name: Path(folder).resolve() for name, folder in plan.named.items()}
    for folder in named.values():
        newest_versions(folder)
    check_reachable(address)
    own = {}
    if address == "local":
        # Replicas that share a core are better than replicas that wait for one.
        own = {"num_cpus": max(os.cpu_count() or 1, most), "include_dashboard": False}
    ray.init(address, namespace="serve", logging_level="WARNING", **own)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # Ray has set its own
    count = str(fewest) if fewest == most else f"{fewest} to {most}"
    text = f"{count} replica{'s' * (most > 1)} on Ray"
    http_options = {"host": host, "port": port}
    http_options["keep_alive_timeout_s"] = int(plan.limits.idle_seconds)
    try:
        serve.start(http_options=http_options)
        check_address(host, port)
        handle, owner = None, uuid.uuid4().hex
        try:
            plan = dataclasses.replace(plan, named=named)
            handle = serve.run(application(plan, fewest, most, owner), name=APPLICATION)
            on_ready(handle.newest.remote().result(timeout_s=60), port, text)
            with contextlib.suppress(KeyboardInterrupt):
                threading.Event().wait()
        finally:
            if handle is None or _owner(handle, owner) == owner:
                serve.delete(APPLICATION)
    finally:
        ray.shutdown()


def check_address(host, port):
    """Raises an error if Ray Serve ran on the cluster before and listens elsewhere.

    Raises:
        UsageError: if it does.
    """
    try:  # Ray has no public name for it.
        from ray.serve.context import _get_global_client

        found = _get_global_client().http_config
        listens = found.host, found.port
    except (ImportError, AttributeError):
        return
    if listens != (host, port):
        raise UsageError(
            f"Ray Serve runs on this cluster already and listens on {listens[0]}:{listens[1]}: use "
            f"`--host {listens[0]} --port {listens[1]}`, or end it with `serve shutdown`; got "
            f"{host}:{port}."
        )


def _owner(handle, otherwise):
    """Returns the command whose application runs: a later one may have replaced the first."""
    try:
        return handle.owner.remote().result(timeout_s=10)
    except Exception:  # no replica responds
        return otherwise
