"""How much of a dataset is kept in memory, and how large an image may be."""

import os

CACHE_BYTES = 2**30
# How many undecoded examples of a larger dataset are shuffled at a time.
SHUFFLE_BUFFER = 50_000


def fits(num_bytes):
    """Returns whether decoded images of so many bytes are kept in memory after the first epoch."""
    return num_bytes <= CACHE_BYTES


def pixels_of_an_image():
    """Returns how many pixels an image may have by default.

    A quarter of the machine's memory, at 8 bytes per pixel: the file's channels, and copies.
    """
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // (4 * 8)
