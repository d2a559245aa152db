"""Starts the guides' notebooks and commands as forks of one Python that has imported TensorFlow.

To import it takes a new Python seconds, and the guides start about twenty. A fork begins with the
arguments, environment, folder and streams of the command that asks for it.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import traceback
from unittest import mock

from ipykernel.kernelspec import get_kernel_dict

# Does not start `kerascnn` or a notebook itself, but asks for a fork, and ends as that does.
_CLIENT = """#!{python} -IS
import json, os, signal, socket, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)  # a notebook is asked to end in a message, too
connection = socket.socket(socket.AF_UNIX)
connection.connect({address!r})
request = [{command!r}, sys.argv[1:], os.getcwd(), dict(os.environ)]
message = json.dumps(request).encode()
connection.sendall(len(message).to_bytes(4) + message)
socket.send_fds(connection, [b" "], [0, 1, 2])
status = connection.recv(1)
sys.exit(status[0] if status else 1)
"""


@contextlib.contextmanager
def forking(folder):
    """Lets what this process starts find `kerascnn` and the kernel `python3` in an empty folder.

    Without forks, as on Windows, they start as always.
    """
    if not hasattr(os, "fork"):
        yield
        return
    address = str(folder / "socket")
    for command in ("kerascnn", "notebook"):
        path = folder / command
        path.write_text(_CLIENT.format(python=sys.executable, address=address, command=command))
        path.chmod(0o755)
    kernel = folder / "kernels" / "python3" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    arguments = [str(folder / "notebook"), "-f", "{connection_file}", "--log-level=ERROR"]
    kernel.write_text(json.dumps({**get_kernel_dict(), "argv": arguments}))
    found = {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "JUPYTER_PATH": str(folder)}
    server = subprocess.Popen(
        [sys.executable, __file__, address], stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        if not server.stdout.readline():
            raise OSError("The process whose forks are the guides' notebooks has not started.")
        with mock.patch.dict(os.environ, found):
            yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)  # also what it forked
        server.wait()


def _serve(address):
    import tensorflow  # noqa: F401  # imported, but not started, which no fork would survive

    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the forks
    print("ready", flush=True)
    while True:
        connection, _ = listener.accept()
        with connection:
            size = int.from_bytes(connection.recv(4, socket.MSG_WAITALL))
            request = json.loads(connection.recv(size, socket.MSG_WAITALL))
            _, streams, *_ = socket.recv_fds(connection, 1, 3)
            if os.fork() == 0:
                status = _run(*request, streams)
                with contextlib.suppress(BrokenPipeError):
                    connection.sendall(bytes([status]))
                os._exit(status)
            for stream in streams:
                os.close(stream)


def _run(command, arguments, folder, environment, streams):
    """Runs a command in this process; returns its exit status."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    os.environ["JPY_PARENT_PID"] = str(os.getppid())  # a notebook ends with that process
    sys.argv = [command, *arguments]
    status = 0
    try:
        if command == "kerascnn":
            from kerascnn_apps.entry import main
        else:
            from ipykernel.kernelapp import launch_new_instance as main
        main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return status


if __name__ == "__main__":
    del sys.path[0]  # the folder of this file
    _serve(sys.argv[1])
