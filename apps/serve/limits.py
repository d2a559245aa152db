"""What the server takes on at most."""

import threading
from dataclasses import dataclass

from kerascnn_apps.serve.refusal import RefusedError

MIB = 2**20


@dataclass(frozen=True)
class Limits:
    """The limits of a server; each is an option of `kerascnn serve`.

    Args:
        max_body: int, bytes of one request.
        max_pixels: int, pixels of the images of one request together; `None` for 25 million where
            the model resizes its images, and 2.1 million (1920x1080) where it computes on each
            pixel.
        max_images: int, images of one request.
        max_queue: int, images that wait for a model or are computed.
        max_held: int, bytes of bodies and decoded images of all requests together.
        max_connections: int, open connections.
        max_headers: int, bytes of the headers of one request.
        max_batch: int, largest number of images in one call of a model.
        max_delay: float, seconds that an image waits for others to share a call with.
        request_seconds: float, from the end of the body to the response.
        header_seconds: float, for the headers of a request to arrive.
        body_seconds: float, for its body to arrive.
        send_seconds: float, for the client to take more of a response.
        idle_seconds: float, that a connection stays open between two requests.
        drain_seconds: float, that requests may still take after SIGTERM.
    """

    max_body: int = 16 * MIB
    max_pixels: int | None = None
    max_images: int = 64
    max_queue: int = 128
    max_held: int = 1024 * MIB
    max_connections: int = 512
    max_headers: int = 64 * 1024
    max_batch: int = 32
    max_delay: float = 0.0
    request_seconds: float = 30.0
    header_seconds: float = 10.0
    body_seconds: float = 30.0
    send_seconds: float = 30.0
    idle_seconds: float = 15.0
    drain_seconds: float = 30.0


class EndedRequestError(Exception):
    """Ends what a thread does for a request whose response nobody waits for any more."""


class Budget:
    """Counts what requests hold together, from any thread.

    Args:
        limit: int, the most that may be held.
        sentence: str, why a request is refused when there is no more.
    """

    def __init__(self, limit, sentence):
        self.limit, self.held, self._sentence = limit, 0, sentence
        self.on_change = None  # called with what is held
        self._lock = threading.Lock()

    def take(self, amount):
        """Takes an amount.

        Raises:
            RefusedError: with status 429, if the limit would be exceeded.
        """
        with self._lock:
            if self.held + amount > self.limit:
                raise self.refusal()
            self._add(amount)

    def refusal(self):
        """Returns the error of a request for which there is no more."""
        return RefusedError(429, self._sentence, {"Retry-After": "1"})

    def give_back(self, amount):
        """Gives back what was taken."""
        with self._lock:
            self._add(-amount)

    def _add(self, amount):
        self.held += amount
        if self.on_change is not None:
            self.on_change(self.held)


class Held:
    """What one request holds of a `Budget`; to be used in a `with`.

    A thread may still work on a request that has ended, with an error or because its time was over.
    """

    def __init__(self, budget):
        self._budget, self._amount, self._ended = budget, 0, False
        self._lock = threading.Lock()

    def take(self, amount):
        """Takes an amount.

        Raises:
            RefusedError: as `Budget.take` does.
            EndedRequestError: if the request has ended.
        """
        with self._lock:
            if self._ended:
                raise EndedRequestError
            self._budget.take(amount)
            self._amount += amount

    def __enter__(self):
        return self

    def __exit__(self, *error):
        with self._lock:
            self._ended = True
            self._budget.give_back(self._amount)
