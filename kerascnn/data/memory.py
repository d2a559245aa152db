"""How much of a set is kept in memory."""

CACHE_BYTES = 2**30
# How many undecoded examples of a larger set are shuffled at a time.
SHUFFLE_BUFFER = 50_000


def fits(num_bytes):
    """Whether decoded images of so many bytes are kept in memory after the first epoch."""
    return num_bytes <= CACHE_BYTES
