"""Runs an ASGI application until SIGTERM or SIGINT, then lets requests finish."""

from __future__ import annotations

import gc
import logging
import signal
import socket
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from gpuaas import logs

SHUTDOWN_SECONDS = 20  # below the 30 s that Kubernetes gives a pod
KEEP_ALIVE_SECONDS = 120  # above the 90 s of the ingress, so that it is never the server that hangs up

_log = logging.getLogger(__name__)


class _Server(uvicorn.Server):
    """Stops on a signal and returns: a graceful end is exit status 0, not death by signal."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            _log.info("listening", extra={"fields": {"port": self.config.port}})

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        stops = (signal.SIGTERM, signal.SIGINT)
        before = {number: signal.signal(number, self.handle_exit) for number in stops}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def configuration(
    app: ASGIApp | str, port: int, host: str = "0.0.0.0", shutdown_seconds: int = SHUTDOWN_SECONDS
) -> uvicorn.Config:
    """How ``app`` is served; every address, because a pod is reached through its own."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=shutdown_seconds,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )


def serve(
    app: ASGIApp,
    port: int,
    log_level: str,
    sockets: list[socket.socket] | None = None,
    shutdown_seconds: int = SHUTDOWN_SECONDS,
) -> int:
    """Serve ``app`` on ``port``, or on ``sockets``, until told to stop; returns the exit status."""
    logs.configure(log_level)
    server = _Server(configuration(app, port, shutdown_seconds=shutdown_seconds))
    # What is imported stays: out of the collector's sight it costs no pauses.
    gc.collect()
    gc.freeze()
    gc.enable()
    server.run(sockets)
    _log.info("stopped")
    return 0
