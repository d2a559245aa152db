"""The command `kerascnn` in a process each, forked from one that has imported it.

python -m tests.runs.commands    # reads requests, a line of JSON each, and answers with a line
"""

import contextlib
import hashlib
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]


class Ended(NamedTuple):
    """How a command ended; `status` is None if it was stopped after its time."""

    status: int | None
    out: str
    err: str
    peak: int  # bytes of resident memory


@contextlib.contextmanager
def commands():
    """Yields a function `run(arguments, folder, timeout)` that returns an `Ended`."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.runs.commands"],
        cwd=ROOT,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:

        def run(arguments, folder, timeout=120):
            request = {"arguments": list(map(str, arguments)), "folder": str(folder)}
            print(json.dumps({**request, "timeout": timeout}), file=server.stdin, flush=True)
            return Ended(**json.loads(server.stdout.readline()))

        yield run
        server.stdin.close()


def digests(folder):
    """Returns `{path: digest}` of all files below a folder."""
    return {
        path: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def _child(arguments, folder, files):
    for descriptor, file in zip((1, 2), files, strict=True):
        os.dup2(file, descriptor)
    os.chdir(folder)
    from kerascnn_apps.cli import run

    status = 70
    try:
        status = run(arguments)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _run(arguments, folder, timeout):
    files = [tempfile.TemporaryFile(), tempfile.TemporaryFile()]  # noqa: SIM115
    pid = os.fork()
    if not pid:
        _child(arguments, folder, [file.fileno() for file in files])
    end = time.monotonic() + timeout
    late = False
    while not (ended := os.wait4(pid, os.WNOHANG))[0]:
        if not late and time.monotonic() > end:
            late = True
            os.kill(pid, 9)
        time.sleep(0.01)
    texts = []
    for file in files:
        with file:
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
    status = None if late else os.waitstatus_to_exitcode(ended[1])
    unit = 1 if sys.platform == "darwin" else 1024
    return Ended(status, *texts, ended[2].ru_maxrss * unit)


def _serve():
    for name in ("kerascnn.runs", "kerascnn_apps.cli"):  # before all forks
        importlib.import_module(name)

    for line in sys.stdin:
        print(json.dumps(_run(**json.loads(line))._asdict()), flush=True)


if __name__ == "__main__":
    _serve()
