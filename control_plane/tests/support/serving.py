"""ASGI applications behind a real HTTP server, in a thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from gpuaas.serve import configuration
from support.processes import wait_for


@contextmanager
def served(app: ASGIApp, port: int = 0, certificate: Path | None = None) -> Iterator[str]:
    """Serve ``app``, with TLS when there is a certificate with its key; yields its URL."""
    config = configuration(app, port, "127.0.0.1")
    config.ssl_certfile = certificate
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_for(lambda: server.started or not thread.is_alive(), "the server")
        listener = server.servers[0].sockets[0]
        yield f"http{'s' if certificate else ''}://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
