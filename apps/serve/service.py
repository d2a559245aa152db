"""From a request's files or arrays to a model's outputs, within the limits."""

import asyncio
import contextlib
import math
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from kerascnn.data.images import (
    EncodedImage,
    TooManyPixelsError,
    UnreadableImageError,
)
from kerascnn.data.jpeg import count_scans
from kerascnn_apps.serve.json_process import LARGE, JsonProcess
from kerascnn_apps.serve.limits import Budget, Held
from kerascnn_apps.serve.metrics import Metrics
from kerascnn_apps.serve.refusal import RefusedError

FORMATS = ("JPEG", "PNG")
# A progressive JPEG file takes the time of a whole image for each of its scans.
_START_OF_SCAN, _MOST_SCANS = b"\xff\xda", 100
_DECODING_THREADS = 2
# They wait for the process that reads large JSON, and for nothing else.
_JSON_THREADS = 2
# What a decoded image takes, with the copies that conversions make
_BYTES_A_PIXEL = 8
# Files of at most so many bytes and pixels are decoded sooner than a thread takes over, unless
# they have one of the compressed texts of PNG, which may be long.
_SMALL_BYTES, _SMALL_PIXELS = 4096, 4096
_COMPRESSED = (b"zTXt", b"iTXt", b"iCCP")


class Service:
    """Computes requests; the state that the endpoints share.

    Args:
        models: `Models`.
        limits: `Limits`.
        metrics: class such as `Metrics`, of which one is made.
    """

    def __init__(self, models, limits, metrics=Metrics):
        self.models, self.limits = models, limits
        self.queue = Budget(
            limits.max_queue,
            f"{limits.max_queue} images wait already (--max-queue); try again in a second.",
        )
        self.memory = Budget(
            limits.max_held, "The requests hold all the memory they may; try again in a second."
        )
        self.metrics = metrics(self.queue, self.memory)
        self.draining = False
        self.loads = JsonProcess()
        self._threads = ThreadPoolExecutor(_DECODING_THREADS, thread_name_prefix="decode")
        self._json_threads = ThreadPoolExecutor(_JSON_THREADS, thread_name_prefix="json")

    async def in_thread(self, function, *arguments):
        """Runs a function off the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)

    async def read(self, function, length, body, *arguments):
        """Runs a function of a body, and of `loads`, off the event loop.

        Large JSON waits for other large JSON alone, and images do not wait for it.

        Args:
            function: function that reads the body.
            length: int, the number of bytes of JSON in it.
            body: bytes.
            *arguments: what the function takes between these two.
        """
        threads = self._json_threads if length >= LARGE else self._threads
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(threads, function, body, *arguments, self.loads)

    @contextlib.asynccontextmanager
    async def deadline(self):
        """Limits the time from the end of a body to the response.

        Raises:
            RefusedError: with status 504, if what is done in the context takes longer.
        """
        try:
            async with asyncio.timeout(self.limits.request_seconds):
                yield
        except TimeoutError:
            raise RefusedError(
                504,
                f"The response was not ready within {self.limits.request_seconds:g} seconds "
                "(--request-seconds).",
            ) from None

    async def on_files(self, served, files, held):
        """Returns the outputs for image files: a list of a dict of arrays, with one row, for each.

        Args:
            served: `Served`, a model that takes images.
            files: list of bytes.
            held: `Held` of the request.

        Raises:
            RefusedError: if a file or the request is too large, or not an image.
        """
        self._check_count(len(files), served)
        metadata = served.exported.metadata
        channels, value_ranges = served.exported.channels, metadata.get("value_ranges")
        pixels_left = [served.max_pixels]

        def admitted(encoded):
            # The first is quick, and true of few files.
            many = encoded.count(_START_OF_SCAN) > _MOST_SCANS
            if many and count_scans(encoded, _MOST_SCANS) > _MOST_SCANS:
                raise RefusedError(400, f"A JPEG file must have at most {_MOST_SCANS} scans.")
            image = EncodedImage(encoded, FORMATS)
            pixels = math.prod(image.size)
            pixels_left[0] -= pixels
            if pixels_left[0] < 0:
                raise too_many_pixels(served.max_pixels)
            held.take(pixels * _BYTES_A_PIXEL)
            return image

        def decode(image):
            return image.decode(channels, served.max_pixels, value_ranges)

        async def decoded(encoded):
            if len(encoded) > _SMALL_BYTES or any(name in encoded for name in _COMPRESSED):
                return await self.in_thread(lambda: decode(admitted(encoded)))
            image = admitted(encoded)
            is_small = math.prod(image.size) <= _SMALL_PIXELS
            return decode(image) if is_small else await self.in_thread(decode, image)

        async def compute(encoded):
            try:
                image = await decoded(encoded)
            except TooManyPixelsError:
                raise too_many_pixels(served.max_pixels) from None
            except UnreadableImageError as error:
                raise RefusedError(
                    400,
                    "An image must be the bytes of a whole PNG or JPEG file; "
                    f"got {len(encoded)} bytes.",
                ) from error
            return await self._submitted(served, {"images": image[np.newaxis]})

        return await self._queued(len(files), [partial(compute, encoded) for encoded in files])

    async def on_arrays(self, served, arrays):
        """Returns the outputs for arrays by name, as a list of one dict of arrays.

        Raises:
            RefusedError: if the arrays are none of the model, or too large.
        """
        rows = _check_arrays(served, arrays)
        self._check_count(rows, served)
        return await self._queued(rows, [partial(self._submitted, served, arrays)])

    def _check_count(self, count, served):
        if not 1 <= count <= self.limits.max_images:
            raise RefusedError(
                413 if count else 400,
                f"A request must have 1 to {self.limits.max_images} images (--max-images); "
                f"got {count}.",
            )

    async def _submitted(self, served, arrays):
        try:
            return await served.batcher.compute(arrays)
        except ValueError as error:
            raise RefusedError(400, str(error)) from error

    async def _queued(self, count, computations):
        with Held(self.queue) as queue:
            queue.take(count)
            return await _all(computations)

    async def close(self):
        """Ends the threads after what they have taken on."""
        seconds = self.limits.drain_seconds
        await asyncio.get_running_loop().run_in_executor(None, self.models.close, seconds)
        for threads in (self._threads, self._json_threads):
            threads.shutdown(wait=False, cancel_futures=True)
        self.loads.close()


async def _all(computations):
    """Awaits coroutine functions together; the first error cancels the others."""
    if len(computations) == 1:
        return [await computations[0]()]
    tasks = [asyncio.ensure_future(computation()) for computation in computations]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


def too_many_pixels(limit):
    """Returns the `RefusedError` of images that are too large."""
    return RefusedError(
        413, f"The images of a request must have at most {limit:,} pixels together (--max-pixels)."
    )


def _check_arrays(served, arrays):
    """Returns the number of rows."""
    inputs = {tensor.name: tensor for tensor in served.exported.inputs}
    if set(arrays) != set(inputs):
        raise RefusedError(
            400, f"The inputs must be {', '.join(inputs)}; got {', '.join(arrays) or 'none'}."
        )
    for name, array in arrays.items():
        shape = inputs[name].shape
        if array.ndim != len(shape) or any(
            wanted not in (None, found) for wanted, found in zip(shape, array.shape, strict=True)
        ):
            text = ", ".join("any" if size is None else str(size) for size in shape)
            raise RefusedError(
                400, f"Input {name!r} must have the shape ({text}); got {array.shape}."
            )
    rows = {len(array) for array in arrays.values()}
    if len(rows) > 1:
        raise RefusedError(
            400, f"All inputs must have the same number of rows; got {sorted(rows)}."
        )
    if served.exported.takes_images:
        _check_images(served, arrays["images"])
    return rows.pop()


def _check_images(served, images):
    rows, height, width, channels = images.shape
    if not (height and width) or channels not in (1, 3, 4):
        raise RefusedError(
            400,
            "Images must have the shape (batch, height, width, channels), at least one pixel, and "
            f"1, 3 or 4 channels; got {images.shape}.",
        )
    if rows * height * width > served.max_pixels:
        raise too_many_pixels(served.max_pixels)
