"""Several processes that listen on one port, each with models and limits of its own.

The kernel spreads connections over the sockets that listen (`SO_REUSEPORT`), so a worker that has
ended, or still loads its models, gets none. Workers are forks of a process that has imported
TensorFlow and not used it, and start in the time that their models take.
"""

import contextlib
import logging
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import time
from multiprocessing.connection import wait

from kerascnn.arguments import UsageError
from kerascnn_apps.serve.log import log_to
from kerascnn_apps.serve.process import Process, listening_socket, not_free, search_garbage_rarely

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
# Ends a worker without its requests. SIGTERM never does: a worker may get one from its supervisor,
# and another from a service manager, which sends it to all processes.
_AT_ONCE = getattr(signal, "SIGUSR1", None)
# A worker that ends before it serves is started again after a second, then after two, and so on.
_LONGEST_PAUSE = 60
_log = logging.getLogger("kerascnn.serve")


@contextlib.contextmanager
def shared_figures():
    """Makes `Metrics` count for all workers; to be entered before prometheus_client is imported."""
    with tempfile.TemporaryDirectory(prefix="kerascnn-figures-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        try:
            yield
        finally:
            del os.environ["PROMETHEUS_MULTIPROC_DIR"]


def run_workers(plan, host, port, on_ready, count):
    """Serves in several processes, until SIGTERM or Ctrl+C.

    Args:
        plan: `Plan`.
        host: str.
        port: int, 0 for any that is free.
        on_ready: function of what `Models.newest` returns, of the port, and of a text.
        count: int, how many.

    Raises:
        UsageError: on a system without what workers need.
        RuntimeError: if the address cannot be listened on.
    """
    if not hasattr(os, "fork") or not hasattr(socket, "SO_REUSEPORT"):
        raise UsageError("`--workers` must be 1 on this system: processes cannot share a port.")
    with contextlib.ExitStack() as stack:
        with listening_socket(host, port) as alone:  # refused where another server listens
            address, port = alone.getsockname()[:2]
            reservation = stack.enter_context(reserved(address, port))
        # It does not listen: it keeps the port while no worker does.
        stack.enter_context(listening_socket(host, port, shared=True))
        log_to()
        search_garbage_rarely()  # forks share what is never searched
        workers = Workers(count, plan, host, port, reservation)
        workers.run(lambda models: on_ready(models, port, f"{count} workers"))


def reserved(address, port):
    """Returns a socket that reserves an address for the workers of one command until it is closed.

    While no worker listens, sockets of another command can be bound to the same port, and both
    would serve. A name has one socket.

    Args:
        address: str, of the host.
        port: int.

    Raises:
        RuntimeError: if the address is reserved.
    """
    owner = socket.socket(socket.AF_UNIX)
    if sys.platform == "linux":  # elsewhere, such names are files, which stay
        try:
            owner.bind(f"\0kerascnn serve {address}:{port}")
        except OSError as error:
            owner.close()
            raise RuntimeError(not_free(address, port, error)) from error
    return owner


class Workers:
    """Runs workers, and replaces those that end, until SIGTERM or Ctrl+C.

    Args:
        count: int.
        plan: `Plan`.
        host: str.
        port: int.
        reservation: socket that is closed as soon as all workers listen.
    """

    def __init__(self, count, plan, host, port, reservation):
        self._count, self._plan, self._host, self._port = count, plan, host, port
        self._reservation = reservation
        self._running = []
        self._starts, self._pause = [], 0  # when workers are started again

    def run(self, on_ready):
        """Serves until a signal comes and all requests that were taken on have their response.

        Args:
            on_ready: function of what `Models.newest` returns, called when all workers serve.

        Raises:
            Exception: as a worker that cannot start at first.
        """
        with _signals_sent_to() as signals:
            try:
                for _ in range(self._count):
                    self._start()
                self._watch(signals, on_ready)
            finally:
                self._send(signal.SIGTERM)
                for worker in self._running:
                    worker.process.join()

    def _watch(self, signals, on_ready):
        ready = ending = False
        while self._running or not ending:
            pause = max(0, min(self._starts) - time.monotonic()) if self._starts else None
            wait([signals, *(thing for worker in self._running for thing in worker.waits())], pause)
            for _ in range(_received(signals)):
                self._starts.clear()
                self._send(_AT_ONCE if ending else signal.SIGTERM)
                ending = True
            for worker in list(self._running):
                status = worker.process.exitcode
                worker.update()
                if status is not None:
                    self._running.remove(worker)
                    if not (ready or ending):
                        sentence = f"A worker ended with status {status} before it served."
                        raise worker.error or RuntimeError(sentence)
                    self._on_end(worker, ending)
            if not (ready or ending) and all(worker.models for worker in self._running):
                ready = True
                self._reservation.close()
                on_ready(self._running[0].models)
            for start in [start for start in self._starts if start <= time.monotonic()]:
                self._starts.remove(start)
                self._start()

    def _start(self):
        # In a fork that has not yet its own handlers, a signal would be lost.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            worker = _Worker(self._work)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        self._running.append(worker)
        _log.info("worker started", extra={"fields": {"worker": worker.process.pid}})

    def _send(self, number):
        for worker in self._running:
            if worker.process.is_alive():
                os.kill(worker.process.pid, number)

    def _on_end(self, worker, ending):
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.process.pid)
        fields = {"worker": worker.process.pid, "status": worker.process.exitcode}
        if ending:
            _log.info("worker ended", extra={"fields": fields})
            return
        _log.error("worker ended", extra={"fields": fields})
        self._pause = 0 if worker.models else min(2 * self._pause or 1, _LONGEST_PAUSE)
        self._starts.append(time.monotonic() + self._pause)

    def _work(self, report):
        """What a worker does; `report` takes its models, or the error of its start."""
        self._reservation.close()  # the supervisor has it too
        supervisor = os.getppid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        try:
            app = self._plan.app()
            listening = listening_socket(self._host, self._port, shared=True)
        except Exception as error:
            _log.error("worker not started", extra={"fields": {"error": str(error)}})
            report(error)
            raise SystemExit(1) from None
        with listening:
            listening.listen()
            report(app.state.service.models.newest())
            _WorkerProcess(app, self._plan.limits, supervisor).run(sockets=[listening])


class _WorkerProcess(Process):
    """`Process` that leaves Ctrl+C to its supervisor, and ends when that one is gone."""

    def __init__(self, app, limits, supervisor):
        super().__init__(app, limits)
        self._supervisor = supervisor
        signal.signal(_AT_ONCE, self._end_at_once)

    def handle_exit(self, sig, frame):
        if sig != signal.SIGINT:
            self._service.draining = True

    def _end_at_once(self, sig, frame):
        self.should_exit = self.force_exit = True

    async def on_tick(self, counter):
        if os.getppid() != self._supervisor:
            self._service.draining = True
        return await super().on_tick(counter)


class _Worker:
    """A worker as its supervisor sees it.

    Args:
        work: function that the process runs, of a function that takes its report.

    Attributes:
        process: `multiprocessing.Process`.
        models: what a worker that serves has reported; `None` before.
        error: the error of one that could not start, or `None`.
    """

    def __init__(self, work):
        context = multiprocessing.get_context("fork")
        self.models = self.error = None
        self._report, sending = context.Pipe(duplex=False)
        self.process = context.Process(target=work, args=(sending.send,))
        self.process.start()
        sending.close()

    def waits(self):
        """Returns what `wait` takes to notice a report or the end."""
        return [self.process.sentinel, *([] if self._report.closed else [self._report])]

    def update(self):
        """Reads the report, if there is one."""
        if self._report.closed or not self._report.poll():
            return
        with contextlib.suppress(EOFError):
            found = self._report.recv()
            if isinstance(found, Exception):
                self.error = found
            else:
                self.models = found
        self._report.close()


@contextlib.contextmanager
def _signals_sent_to():
    """Gives a socket that gets a byte for each SIGTERM or Ctrl+C, which do nothing else."""
    receiving, sending = socket.socketpair()
    receiving.setblocking(False)
    sending.setblocking(False)
    handlers = {number: signal.signal(number, lambda *_: None) for number in _SIGNALS}
    before = signal.set_wakeup_fd(sending.fileno())
    try:
        yield receiving
    finally:
        signal.set_wakeup_fd(before)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        receiving.close()
        sending.close()


def _received(signals):
    """Returns how many signals have come."""
    with contextlib.suppress(BlockingIOError):
        return len([number for number in signals.recv(4096) if number in _SIGNALS])
    return 0
