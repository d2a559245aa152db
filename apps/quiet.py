"""Hides the log messages of libraries, unless a library ends the process.

TensorFlow 2.21 logs from C++ straight to file descriptor 2, whatever its log level is. During a
command this descriptor is a pipe to a small process, forked before any library is imported, which
keeps the last lines. When the command ends normally, it stops that process. When a failed check in
C++ or a lack of memory kills the command, the pipe closes, and the process prints the lines and
exits. Nothing is written to disk. Without `fork`, as on Windows, the lines are dropped.
"""

import collections
import contextlib
import logging
import os
import re
import signal
import sys
import warnings

from kerascnn_apps.messages import readable

_LINES = 10
# Lines of the level INFO, in both formats of TensorFlow, and what it prints around them
_INFORMATION = re.compile(
    rb"I\d{4} |\d{4}-\d\d-\d\d .*: I |WARNING: All log messages before absl|"
    rb"To enable the following instructions:"
)


@contextlib.contextmanager
def libraries_silenced():
    """Silences libraries on standard error; only `sys.stderr` stays connected."""
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    logging.getLogger("absl").setLevel(logging.ERROR)
    warnings.showwarning = _show_warning
    watcher = None
    if hasattr(os, "fork"):
        watcher = _fork_watcher()
    else:
        _drop_descriptor_2()
    try:
        yield
    finally:
        if watcher is not None:  # before its pipe closes, or it prints the lines
            os.kill(watcher, signal.SIGKILL)
            os.waitpid(watcher, 0)
        _drop_descriptor_2()


def _drop_descriptor_2():
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)


def _fork_watcher():
    """Starts the process that reads from descriptor 2, and returns its process id."""
    reading, writing = os.pipe()
    interrupted = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is for the command only
    watcher = os.fork()
    if not watcher:
        try:
            os.close(writing)
            _watch(reading)
        finally:
            os._exit(0)
    signal.signal(signal.SIGINT, interrupted)
    os.dup2(writing, 2)
    os.close(reading)
    os.close(writing)
    return watcher


def _watch(reading):
    for standard in (0, 1):  # another program may wait until they close
        os.close(standard)
    with open(reading, "rb") as pipe:
        told = (line for line in pipe if not _INFORMATION.match(line))
        lines = collections.deque(told, maxlen=_LINES)
    if lines:
        title = b"kerascnn: the process was killed; the last log lines of its libraries:\n"
        os.write(2, title + b"".join(lines))


def _show_warning(message, category, filename, lineno, file=None, line=None):
    """Prints warnings of kerascnn in one line, and hides warnings of libraries."""
    if category.__module__.startswith(("kerascnn.", "kerascnn_apps.")):
        print(f"kerascnn: warning: {readable(str(message))}", file=sys.stderr)
