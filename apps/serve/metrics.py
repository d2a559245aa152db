"""What Prometheus reads at /metrics."""

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128)


class Metrics:
    """The figures of one server: requests, latencies, batches, the queue, and the process.

    Args:
        queue: `Budget` of images.
        held: `Budget` of bytes.
    """

    def __init__(self, queue, held):
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)  # memory, CPU time, open files
        self._requests = self._made(Counter, "requests", "Requests", "route", "status")
        self._seconds = self._made(
            Histogram, "request_seconds", "Seconds of a request", "route", buckets=_SECONDS
        )
        self._rows = self._made(
            Histogram, "batch_images", "Images in a call of a model", "model", buckets=_ROWS
        )
        self._calls = self._made(
            Histogram, "model_seconds", "Seconds of a call of a model", "model", buckets=_SECONDS
        )
        waiting = self._made(Gauge, "queue_images", "Images that wait or are computed")
        waiting.set_function(lambda: queue.held)
        bytes_held = self._made(Gauge, "held_bytes", "Bytes of bodies and decoded images")
        bytes_held.set_function(lambda: held.held)

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
        return generate_latest(self._registry)
