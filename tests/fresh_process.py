"""Programs in processes of their own, forked from one that has imported TensorFlow alone.

A new Python that imports TensorFlow takes seconds, a fork of one that has imported it some tenths.
TensorFlow has not started there, so a program can still make devices. Variables that TensorFlow
reads when it is imported are those of this process.
"""

import contextlib
import multiprocessing
import multiprocessing.forkserver
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

_START = """
import os, sys
for descriptor, path in ((1, stdout), (2, stderr)):
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, descriptor)
    os.close(file)
os.chdir(folder)
sys.path[:] = search_path
os.environ.clear()
os.environ.update(environment)
sys.argv = ["-c", *arguments]
exec(program, {"__name__": "__main__"})
"""


@contextlib.contextmanager
def _silenced():
    """Sends standard error to nowhere, also that of processes that start meanwhile."""
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def run(program, *arguments, timeout=300):
    """Runs a program and returns its `subprocess.CompletedProcess`, with the output as text."""
    if not hasattr(os, "fork"):
        command = [sys.executable, "-c", program, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tensorflow"])
    with _silenced():  # TensorFlow's lines about the processor
        multiprocessing.forkserver.ensure_running()
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("stdout", "stderr")]
        names = {
            "stdout": str(files[0]),
            "stderr": str(files[1]),
            "folder": os.getcwd(),
            "search_path": [str(ROOT), *sys.path],
            "environment": dict(os.environ),
            "arguments": [str(argument) for argument in arguments],
            "program": program,
        }
        process = context.Process(target=exec, args=(_START, names))
        process.start()
        process.join(timeout)
        if process.is_alive():
            process.kill()
            raise TimeoutError(f"the program did not end in {timeout} seconds")
        stdout, stderr = (file.read_text() for file in files)
    return subprocess.CompletedProcess(program, process.exitcode, stdout, stderr)


def output(program, *arguments):
    """What a program prints; it must end well."""
    result = run(program, *arguments)
    assert result.returncode == 0, result.stderr[-2000:]
    return result.stdout
