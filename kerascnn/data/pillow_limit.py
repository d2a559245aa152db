"""Pillow's pixel limit, which is global to the process and checked by some decoders."""

import contextlib
import threading

from PIL import Image

_lock = threading.Lock()
# The original limit, once for each image above it that is being decoded
_limits = []


@contextlib.contextmanager
def decoding(pixels):
    """Removes the limit while an image with more pixels than the limit is decoded."""
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
