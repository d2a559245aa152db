"""Waits for `/healthz` while a test keeps the server busy, seen from a process of its own."""

import contextlib
import json
import os
import subprocess
import sys

# On a shared machine, more than 50 ms pass now and then: of 3,068 waits 1.34 % at
# a load average of 18 on two cores, with images of 25 megapixels among the requests.
MOST_LATE = 0.05
# By day, where other tests use the same cores.
MOST_LATE_BY_DAY = 0.5

# The echo does nothing else: how long it takes is how long the machine lets a process wait.
_PROGRAM = """
import http.client, json, os, select, socket, sys, time

here, there = socket.socketpair()
if os.fork() == 0:
    here.close()
    while data := there.recv(1):
        there.sendall(data)
    os._exit(0)
there.close()
server = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=60)

def ask():
    server.request("GET", "/healthz")
    with server.getresponse() as response:
        assert response.status == 200, response.status
        response.read()

def echo():
    here.sendall(b"a")
    here.recv(1)

def took(function):
    begin = time.monotonic()
    function()
    return time.monotonic() - begin

ask()
waits = []
print(flush=True)
while not select.select([sys.stdin], [], [], 0.02)[0]:
    waits.append([took(echo), took(ask), took(echo)])
print(json.dumps(waits))
"""


def prefer(process):
    """Gives a process that has just started cores before others, where the system allows it.

    What else runs on the machine would otherwise count as waits of the server.
    """
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, process.pid, -15)


class Watch:
    """Asks for `/healthz` all the time, inside of a `with`.

    Attributes:
        waits: list of the seconds until each response.
    """

    def __init__(self, server):
        self._port = str(server.port)

    def __enter__(self):
        self._process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, self._port],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        prefer(self._process)
        self._process.stdout.readline()
        return self

    def __exit__(self, *error):
        found, _ = self._process.communicate("end")
        assert self._process.returncode == 0
        self._found = json.loads(found)
        self.waits = [wait for _, wait, _ in self._found]

    def late(self):
        """Returns the share of waits above 50 ms.

        What a process that does nothing waits for its turn just before or after is the machine's
        part, and does not count.
        """
        late = [wait - max(before, after) > 0.05 for before, wait, after in self._found]
        return sum(late) / len(late)

    def __str__(self):
        percentiles = " ms, ".join(
            f"p{share} {sorted(self.waits)[int(share / 100 * len(self.waits))] * 1000:.1f}"
            for share in (50, 99)
        )
        longest = 1000 * max(self.waits)
        return f"{len(self.waits)} waits, {percentiles} ms, longest {longest:.1f} ms"
