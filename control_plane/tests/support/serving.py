"""ASGI applications and services behind real HTTP servers, in a thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import ModuleType
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from gpuaas.serve import Server, configuration
from gpuaas.service import Service
from support.processes import wait_for

TICK_SECONDS = 0.005


def look_often() -> None:
    """uvicorn looks every tenth of a second whether it shall stop, and again while it does: hundreds of servers are stopped here."""
    looking = ModuleType(asyncio.__name__)
    vars(looking).update(vars(asyncio), sleep=lambda seconds: asyncio.sleep(min(seconds, TICK_SECONDS)))
    vars(uvicorn.server)["asyncio"] = looking


@contextmanager
def served(app: ASGIApp, port: int = 0, certificate: Path | None = None) -> Iterator[str]:
    """Serve ``app``, with TLS when there is a certificate with its key; yields its URL."""
    config = configuration(app, port, "127.0.0.1")
    config.ssl_certfile = certificate
    server = uvicorn.Server(config)
    with _threaded(server, server):
        yield f"http{'s' if certificate else ''}://127.0.0.1:{_port(server)}"


class _Threaded(Server):
    """Signals are for the main thread alone."""

    def capture_signals(self) -> Any:
        return nullcontext()


@contextmanager
def serving(service: Service) -> Iterator[tuple[str, str]]:
    """Serve ``service`` as its process does; yields its URL and that of its probes."""
    server = _Threaded(service, "127.0.0.1")
    with _threaded(server, server.probes):
        yield f"http://127.0.0.1:{_port(server)}", f"http://127.0.0.1:{_port(server.probes)}"


@contextmanager
def _threaded(server: uvicorn.Server, last: uvicorn.Server) -> Iterator[None]:
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_for(lambda: last.started or not thread.is_alive(), "the server")
        yield
    finally:
        server.should_exit = True
        thread.join()


def _port(server: uvicorn.Server) -> int:
    return int(server.servers[0].sockets[0].getsockname()[1])
