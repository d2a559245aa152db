"""Memory limits for datasets and images."""

import os

CACHE_BYTES = 2**30
# Shuffle buffer size, in undecoded examples, of a larger dataset.
SHUFFLE_BUFFER = 50_000


def fits(num_bytes):
    """Returns whether decoded images of this size are cached after the first epoch."""
    return num_bytes <= CACHE_BYTES


def pixels_of_an_image():
    """Returns the default limit of pixels per image.

    A quarter of the machine's memory at 8 bytes per pixel: the file's channels, and copies.
    """
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // (4 * 8)
