"""Serves the fleet's API over TLS, and beside it in the same event loop the simulation's on loopback, and the probes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import ssl
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gpu_fleet.settings import ConfigurationError
from gpu_fleet.simulation.replies import HANG_UP

MAX_CONNECTIONS = 128
SHUTDOWN_SECONDS = 20  # below the 30 s that Kubernetes gives a pod
KEEP_ALIVE_SECONDS = 120  # above what clients keep a connection for, so that it is never the server that hangs up
EVERY_ADDRESS = "0.0.0.0"  # a pod is reached through its own
_log = logging.getLogger(__name__)


class _Protocol(HttpToolsProtocol):
    """HTTP with an extension by which an application closes the connection without an answer."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        extensions: dict[str, Any] = {HANG_UP: self._hang_up}
        self.scope["extensions"] = extensions

    def _hang_up(self) -> None:
        self.cycle.disconnected = True
        self.transport.abort()


class _Beside(uvicorn.Server):
    """Stops when the server beside it does."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


class Server(uvicorn.Server):
    """Stops on SIGTERM or SIGINT and returns: a graceful end is exit status 0, not death by signal."""

    def __init__(self, api: uvicorn.Config, *others: uvicorn.Config) -> None:
        super().__init__(api)
        self._others = [_Beside(config) for config in others]
        self._tasks: list[asyncio.Task[None]] = []

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        with contextlib.ExitStack() as stack:
            for number in (signal.SIGTERM, signal.SIGINT):
                stack.callback(signal.signal, number, signal.signal(number, self.handle_exit))
            yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._tasks = [asyncio.create_task(other.serve()) for other in self._others]
            ports = [self.config.port, *(other.config.port for other in self._others)]
            _log.info("listening", extra={"fields": {"ports": ports}})

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        for other in self._others:
            other.should_exit = True
        if self._tasks:
            await asyncio.wait(self._tasks)


def configuration(
    app: ASGIApp, port: int, host: str, certificate: Path | None = None, shutdown_seconds: int = SHUTDOWN_SECONDS
) -> uvicorn.Config:
    """How ``app`` is served; with the directory of a certificate over TLS 1.3. Raises ConfigurationError."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=shutdown_seconds,
        ssl_context_factory=None if certificate is None else _tls(certificate),
    )


def _tls(certificate: Path) -> Callable[[Any, Any], ssl.SSLContext]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        context.load_cert_chain(certificate / "tls.crt", certificate / "tls.key")
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"the certificate in {certificate} cannot be used: {type(error).__name__}") from None
    return lambda _config, _default: context
