"""Whether TensorFlow lost its threads because this process was forked."""

import os

from kerascnn.backend.private_tensorflow import has_started

_lost = False


def threads_are_lost():
    """Returns whether TensorFlow had started before this process was forked.

    A forked process inherits TensorFlow's thread pools without their threads: what is given to
    them never ends. TensorFlow that starts after the fork has threads of its own.
    """
    return _lost


def _after_fork():
    global _lost
    _lost = _lost or has_started()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
