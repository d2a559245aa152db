"""Graphs that are fast on other processors than the one that they are traced on."""

from contextlib import contextmanager
from contextvars import ContextVar

_portable = ContextVar("portable", default=False)


@contextmanager
def portable_graphs():
    """Lets ops choose forms that no processor is slow with, for graphs that are saved."""
    token = _portable.set(True)
    try:
        yield
    finally:
        _portable.reset(token)


def is_portable():
    """Returns whether a graph is being traced in the context of `portable_graphs`."""
    return _portable.get()
