"""Portable graphs: fast on other processors, or with operations that every runtime supports."""

from contextlib import contextmanager
from contextvars import ContextVar

_portable = ContextVar("portable", default=False)
_plain = ContextVar("plain", default=False)


@contextmanager
def portable_graphs(plain=False):
    """Makes ops choose forms that are fast on all processors, for graphs that are saved.

    Args:
        plain: bool, whether runtimes other than TensorFlow must support the operations.
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
