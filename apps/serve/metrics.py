"""What Prometheus reads at /metrics."""

import functools
import os
from pathlib import Path

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Metric,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

CONTENT_TYPE = CONTENT_TYPE_LATEST
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
ROWS = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """The figures of a server: requests, latencies, batches, the queue, and its processes.

    Where prometheus_client writes them to a folder (`workers.shared_figures`), they count for
    all processes that do.

    Args:
        queue: `Budget` of images.
        held: `Budget` of bytes.
    """

    def __init__(self, queue, held):
        self._registry = self._shown = CollectorRegistry()
        folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
        if folder is None:
            ProcessCollector(registry=self._registry)  # memory, CPU time, open files
        else:
            self._shown = CollectorRegistry()
            MultiProcessCollector(self._shown, folder)
            self._shown.register(_Processes(Path(folder)))
        self._requests = self._made(Counter, "requests", "Requests", "route", "status")
        self._seconds = self._made(
            Histogram, "request_seconds", "Seconds of a request", "route", buckets=SECONDS
        )
        self._rows = self._made(
            Histogram, "batch_images", "Images in a call of a model", "model", buckets=ROWS
        )
        self._calls = self._made(
            Histogram, "model_seconds", "Seconds of a call of a model", "model", buckets=SECONDS
        )
        summed = {"multiprocess_mode": "livesum"}
        waiting = self._made(Gauge, "queue_images", "Images that wait or are computed", **summed)
        queue.on_change = waiting.set
        bytes_held = self._made(Gauge, "held_bytes", "Bytes of bodies and decoded images", **summed)
        held.on_change = bytes_held.set

    def _made(self, kind, name, text, *labels, **options):
        return kind(f"kerascnn_{name}", text, labels, registry=self._registry, **options)

    def on_request(self, route, status, seconds=None):
        """Counts a request; `route` belongs to a small set of names."""
        self._requests.labels(route, str(status)).inc()
        if seconds is not None:
            self._seconds.labels(route).observe(seconds)

    def on_batch(self, model, rows, seconds):
        """Counts a call of a model."""
        self._rows.labels(model).observe(rows)
        self._calls.labels(model).observe(seconds)

    def text(self):
        """Returns the figures in Prometheus's format, as bytes."""
        return generate_latest(self._shown)


class _Processes:
    """What `ProcessCollector` reports, of each process that writes to a folder, with its `pid`."""

    def __init__(self, folder):
        self._folder = folder

    def collect(self):
        found = {}
        for file in self._folder.glob("gauge_livesum_*.db"):  # removed when its process has ended
            pid = file.stem.rpartition("_")[2]
            of_one = ProcessCollector(pid=functools.partial(str, pid), registry=None)
            for metric in of_one.collect():
                same = Metric(metric.name, metric.documentation, metric.type)
                found.setdefault(metric.name, same).samples.extend(
                    sample._replace(labels={"pid": pid}) for sample in metric.samples
                )
        return found.values()
