"""Graphs that are saved: fast on other processors, or made of operations that every runtime has."""

from contextlib import contextmanager
from contextvars import ContextVar

_portable = ContextVar("portable", default=False)
_plain = ContextVar("plain", default=False)


@contextmanager
def portable_graphs(plain=False):
    """Lets ops choose forms that no processor is slow with, for graphs that are saved.

    Args:
        plain: bool, whether other runtimes than TensorFlow must have the operations too.
    """
    tokens = _portable.set(True), _plain.set(plain)
    try:
        yield
    finally:
        _portable.reset(tokens[0])
        _plain.reset(tokens[1])


def is_portable():
    """Returns whether a graph is being traced in the context of `portable_graphs`."""
    return _portable.get()


def is_plain():
    """Returns whether a graph is being traced for runtimes other than TensorFlow."""
    return _plain.get()
