"""Pillow's limit of pixels, which is global to the process and which some of its decoders check."""

import contextlib
import threading

from PIL import Image

_lock = threading.Lock()
# The limit to return to, once for each image above it that is being decoded
_limits = []


@contextlib.contextmanager
def decoding(pixels):
    """Lifts the limit while an image of so many pixels is decoded, but only if it is above it."""
    with _lock:
        limit = _limits[0] if _limits else Image.MAX_IMAGE_PIXELS
        above = limit is not None and pixels > limit
        if above:
            _limits.append(limit)
            Image.MAX_IMAGE_PIXELS = None
    try:
        yield
    finally:
        if above:
            with _lock:
                _limits.pop()
                if not _limits:
                    Image.MAX_IMAGE_PIXELS = limit
