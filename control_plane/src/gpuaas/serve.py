"""Runs a service until SIGTERM or SIGINT, then lets requests finish."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import socket
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Literal

import uvicorn
from starlette.types import ASGIApp

from gpuaas import logs
from gpuaas.service import Service

SHUTDOWN_SECONDS = 20  # below the 30 s that Kubernetes gives a pod
DRAIN_SHARE = 1 / 20  # of that, until a connection that nobody uses is closed
KEEP_ALIVE_SECONDS = 120  # above the 90 s of the ingress, so that it is never the server that hangs up
# Of what a client sends: more is closed with 1009 (RFC 6455, section 7.4.1), unread.
WEBSOCKET_MESSAGE_BYTES = 4096
# Who does not answer a ping for as long is gone, or does not read: 1011.
WEBSOCKET_PING_SECONDS = 20.0
EVERY_ADDRESS = "0.0.0.0"  # a pod is reached through its own

_log = logging.getLogger(__name__)


class _Probes(uvicorn.Server):
    """Stops when the server beside it does."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


class Graceful(uvicorn.Server):
    """Stops on SIGTERM or SIGINT and returns: a graceful end is exit status 0, not death by signal."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        stops = (signal.SIGTERM, signal.SIGINT)
        with contextlib.ExitStack() as stack:
            for number in stops:
                stack.callback(signal.signal, number, signal.signal(number, self.handle_exit))
            yield


class Server(Graceful):
    """Serves a service and, beside it in the same event loop, its probes.

    The probes answer from the moment that the service does, and until it has ended.
    """

    def __init__(
        self,
        service: Service,
        host: str = EVERY_ADDRESS,
        sockets: Sequence[socket.socket] | None = None,
        shutdown_seconds: int = SHUTDOWN_SECONDS,
    ) -> None:
        """``sockets`` are those of the service and of the probes, when they are bound already."""
        super().__init__(
            configuration(
                service.app, service.listen_port, host, shutdown_seconds, websocket_protocol=service.websocket_protocol
            )
        )
        self.probes = _Probes(configuration(service.probes, service.probe_port, host, 1, lifespan="off"))
        self._bound = None if sockets is None else ([sockets[0]], [sockets[1]])
        self._beside: asyncio.Task[None] | None = None
        self._stop = service.stop

    def run_until_stopped(self) -> None:
        """Serve; returns after a signal, or when ``should_exit`` is set."""
        self.run(self._bound[0] if self._bound else None)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        # A port that is taken ends the process here. In the task beside, it would leave one that neither serves nor ends.
        beside = self._bound[1] if self._bound else [self.probes.config.bind_socket()]
        await super().startup(sockets)
        if self.started:
            self._beside = asyncio.create_task(self.probes.serve(beside))
            _log.info("listening", extra={"fields": {"port": self.config.port, "probe_port": self.probes.config.port}})

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stop()
        if not self.force_exit:
            await self._drain()
        await super().shutdown(sockets)
        if self._beside:
            self.probes.should_exit = True
            await self._beside

    async def _drain(self) -> None:
        """Let callers go before connections are closed: an answer is the last one of its connection (RFC 9112 9.6).

        To close one at once loses the request that is on its way over it. The ingress keeps
        connections to this process for as long as they last, and repeats no POST.
        """
        state, seconds = self.server_state, (self.config.timeout_graceful_shutdown or 0) * DRAIN_SHARE
        state.default_headers = [*state.default_headers, (b"connection", b"close")]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while state.connections:
                    await asyncio.sleep(seconds / 20)


def configuration(
    app: ASGIApp | str,
    port: int,
    host: str = EVERY_ADDRESS,
    shutdown_seconds: int = SHUTDOWN_SECONDS,
    lifespan: Literal["on", "off"] = "on",
    websocket_protocol: str = "none",
) -> uvicorn.Config:
    """How ``app`` is served."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http="httptools",
        ws=websocket_protocol,
        ws_max_size=WEBSOCKET_MESSAGE_BYTES,
        ws_ping_interval=WEBSOCKET_PING_SECONDS,
        ws_ping_timeout=WEBSOCKET_PING_SECONDS,
        # What is compressed together tells by its size what one of it is (CRIME), and a small message may be a large one.
        ws_per_message_deflate=False,
        lifespan=lifespan,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=shutdown_seconds,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )


def serve(
    service: Service, sockets: Sequence[socket.socket] | None = None, shutdown_seconds: int = SHUTDOWN_SECONDS
) -> int:
    """Serve until told to stop, on the service's ports or on ``sockets``; returns the exit status."""
    logs.configure(service.log_level)
    server = Server(service, sockets=sockets, shutdown_seconds=shutdown_seconds)
    # What is imported stays: out of the collector's sight it costs no pauses.
    gc.collect()
    gc.freeze()
    gc.enable()
    server.run_until_stopped()
    _log.info("stopped")
    return 0
