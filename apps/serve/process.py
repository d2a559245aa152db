"""The process: it listens, and ends without losing a request."""

import asyncio
import contextlib
import ctypes
import gc
import logging
import socket
import struct
import sys

import uvicorn

from kerascnn_apps.serve.connection import limited_protocol
from kerascnn_apps.serve.log import log_request, log_to

SWITCH_SECONDS = 0.0005
# Python's own are many times lower.
_GARBAGE_THRESHOLDS = (20_000, 20, 50)
_log = logging.getLogger("kerascnn.serve")
# After SIGTERM, connections are still accepted for so long, until nobody is sent here any more;
# each response then closes its connection.
_STILL_ACCEPTED_SECONDS = 0.5
# Then those that have begun to connect are waited for.
_HANDSHAKE_SECONDS = 0.2
# What `SO_ATTACH_FILTER` takes: Berkeley Packet Filter, each (code, two jumps, constant).
_SO_ATTACH_FILTER = 26
_NO_NEW_CONNECTIONS = (
    (0x30, 0, 0, 13),  # load the byte with the flags of TCP
    (0x45, 0, 1, 0x02),  # unless it has SYN, skip one instruction
    (0x06, 0, 0, 0),  # drop the packet
    (0x06, 0, 0, 0xFFFFFFFF),  # keep it
)


class Process(uvicorn.Server):
    """uvicorn, which on SIGTERM or Ctrl+C reports that it is not ready, drains, and ends.

    Args:
        app: the application, of `create_app`.
        limits: `Limits`.
    """

    def __init__(self, app, limits):
        self._service = app.state.service
        # Under load the event loop is always busy; the threads of the models would wait Python's
        # 5 ms for their turn several times in each call.
        sys.setswitchinterval(SWITCH_SECONDS)
        super().__init__(
            uvicorn.Config(
                app,
                # uvloop accepts one connection in each round of events. At twice the rate that the
                # server can hold, connections waited for seconds and were reset.
                loop="asyncio",
                http=limited_protocol(limits, self._on_refused),
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=limits.idle_seconds,
                timeout_graceful_shutdown=limits.drain_seconds,
                backlog=max(2048, limits.max_connections),
            )
        )

    def _on_refused(self, status, client):
        self._service.metrics.on_request("none", status)
        log_request({"client": (client or ("",))[0], "status": status})

    def handle_exit(self, sig, frame):
        if self._service.draining:  # the second Ctrl+C, or SIGTERM
            self.should_exit = self.force_exit = True
        self._service.draining = True

    async def on_tick(self, counter):
        if self._service.draining and not self.should_exit:
            await asyncio.sleep(_STILL_ACCEPTED_SECONDS)
            for listening in (one for server in self.servers for one in server.sockets):
                _ignore_new_connections(listening)
            await asyncio.sleep(_HANDSHAKE_SECONDS)
            self.should_exit = True
        return await super().on_tick(counter)

    async def shutdown(self, sockets=None):
        # The system resets connections that nobody accepted when the socket closes.
        accepted = [connection for listening in sockets for connection in _waiting(listening)]
        for server in self.servers:
            server.close()
        loop = asyncio.get_running_loop()
        for connection in accepted:
            try:
                await loop.connect_accepted_socket(self._protocol, connection)
            except OSError:  # its client has left
                connection.close()
        await super().shutdown(sockets)

    def _protocol(self):
        return self.config.http_protocol_class(
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )


def _ignore_new_connections(listening):
    """Makes Linux drop the first packet of new connections, as if it had been lost on its way.

    Between the last connection that is accepted and the end of the socket, others could come, and
    would be reset. A client whose packet is dropped sends it again after a second: to another
    worker, or to be refused.
    """
    if sys.platform != "linux":
        return
    program = b"".join(struct.pack("HBBI", *instruction) for instruction in _NO_NEW_CONNECTIONS)
    buffer = ctypes.create_string_buffer(program)
    found = struct.pack("HP", len(_NO_NEW_CONNECTIONS), ctypes.addressof(buffer))
    with contextlib.suppress(OSError):  # where a sandbox forbids it
        listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, found)


def _waiting(listening):
    """Accepts the connections that wait."""
    accepted = []
    while True:
        try:
            connection, _ = listening.accept()
        except ConnectionAbortedError:
            continue
        except OSError:  # no other waits
            return accepted
        connection.setblocking(False)
        accepted.append(connection)


def search_garbage_rarely():
    """Keeps Python's searches for garbage short and rare; to be called before models are loaded.

    They hold all requests up. The modules stay for good, and are no longer searched; models of
    versions that are no longer served are.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GARBAGE_THRESHOLDS)


def run_here(plan, host, port, on_ready):
    """Serves in this process, until SIGTERM or Ctrl+C.

    Args:
        plan: `Plan`.
        host: str.
        port: int, 0 for any that is free.
        on_ready: function of what `Models.newest` returns and of the port.

    Raises:
        RuntimeError: if the address cannot be listened on.
    """
    with listening_socket(host, port) as listening:
        log_to()
        search_garbage_rarely()
        app = plan.app()
        try:
            listening.listen()  # who reads the lines may ask at once
        except OSError as error:  # another server was started meanwhile
            raise RuntimeError(not_free(host, port, error)) from error
        on_ready(app.state.service.models.newest(), listening.getsockname()[1])
        Process(app, plan.limits).run(sockets=[listening])


def listening_socket(host, port, shared=False):
    """Returns a bound socket.

    Args:
        host: str.
        port: int, 0 for any that is free.
        shared: bool, whether sockets of other processes may be bound to the same port.

    Raises:
        RuntimeError: if the address cannot be listened on.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio turns Nagle's algorithm, which costs 40 ms a response, off only where TCP is named.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise RuntimeError(not_free(host, port, error)) from error
    return listening


def not_free(host, port, error):
    """Returns the message about an address that cannot be listened on."""
    return f"{host}:{port} cannot be listened on ({error.strerror})."
