"""Runs a worker, and its probes beside it, until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gpuaas import logs, probes
from gpuaas.probes import Check
from gpuaas.secrets import Used
from gpuaas.serve import Graceful, configuration

SHUTDOWN_SECONDS = 1  # of the probes; what the worker has begun is taken back by its transaction
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Worker:
    """``work`` goes on until it is cancelled; it is ready while none of ``checks`` has a fault."""

    work: Callable[[], Awaitable[None]]
    checks: dict[str, Check]
    probe_port: int
    log_level: str


class Server(Graceful):
    """Serves the probes while the work goes on; when the work ends by itself, so does the process."""

    def __init__(self, worker: Worker, used: Used | None = None) -> None:
        app = probes.create_app(lambda: worker.checks, used)
        super().__init__(configuration(app, worker.probe_port, shutdown_seconds=SHUTDOWN_SECONDS, lifespan="off"))
        self._worker = worker
        self._working: asyncio.Future[None] | None = None
        self.failed = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._working = asyncio.ensure_future(self._worker.work())
            self._working.add_done_callback(self._ended)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._working:
            self._working.cancel()
            await asyncio.wait([self._working])
        await super().shutdown(sockets)

    def _ended(self, work: asyncio.Future[None]) -> None:
        if not work.cancelled() and (error := work.exception()):
            _log.error("the work ended", exc_info=error)
            self.failed = True
        self.should_exit = True


def run(worker: Worker, used: Used | None = None) -> int:
    """Work until told to stop; returns the exit status: 1 when the work failed. ``used`` is who gave it its secrets."""
    logs.configure(worker.log_level)
    server = Server(worker, used)
    server.run()
    _log.info("stopped")
    return 1 if server.failed else 0
