"""ASGI applications behind a real HTTP server, in a thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from gpuaas.serve import configuration
from support.processes import wait_for


@contextmanager
def served(app: ASGIApp, port: int = 0) -> Iterator[str]:
    """Serve ``app``; yields its URL."""
    server = uvicorn.Server(configuration(app, port, "127.0.0.1"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_for(lambda: server.started or not thread.is_alive(), "the server")
        listener = server.servers[0].sockets[0]
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
