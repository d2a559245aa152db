"""Detects processes that were forked after TensorFlow started its threads."""

import os

from kerascnn.backend.private_tensorflow import has_started

_lost = False


def threads_are_lost():
    """Returns whether TensorFlow had started before this process was forked.

    A forked process inherits TensorFlow's thread pools without their threads, so work given to them
    never finishes. If TensorFlow starts after the fork, it has its own threads.
    """
    return _lost


def _after_fork():
    global _lost
    _lost = _lost or has_started()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
