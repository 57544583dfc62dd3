"""For development: serves in a child process that is started again when the source changes.

The parent holds the sockets, so that nobody is refused meanwhile. The child forgets
the package that the parent runs and imports what was edited. Where that fails it
answers every request with the mistake, by the parent's code. Times of files are
polled: that works on any mount, and costs a millisecond four times a second.
"""

from __future__ import annotations

import dataclasses
import logging
import multiprocessing
import signal
import sys
import threading
from multiprocessing.process import BaseProcess
from pathlib import Path
from socket import socket

from starlette.types import ASGIApp, Receive, Scope, Send

import gpuaas
from gpuaas import logs, mistake
from gpuaas.serve import configuration, serve

SUFFIXES = frozenset({".css", ".html", ".py", ".sql", ".svg"})
LOOK_SECONDS = 0.25
SHUTDOWN_SECONDS = 1  # who edits does not wait for a slow request
KILL_SECONDS = 3  # nor for one that hears no signal
PACKAGE = Path(gpuaas.__file__).parent
STOPS = (signal.SIGTERM, signal.SIGINT)
logger = logging.getLogger(__name__)


def supervise(command: str, ports: tuple[int, int], log_level: str) -> int:
    """Serve ``command`` (``api`` or ``web``) and its probes until SIGTERM or SIGINT; returns the exit status."""
    logs.configure(log_level)
    ended = threading.Event()
    for number in STOPS:
        signal.signal(number, lambda _number, _frame: ended.set())
    sockets = [configuration("gpuaas", port).bind_socket() for port in ports]
    seen = _times()
    child = _start(command, sockets)
    while not ended.wait(LOOK_SECONDS):
        before, seen = seen, _times()
        if edited := sorted({path for path, _modified in before.items() ^ seen.items()}):
            logger.warning("--reload: %s changed", ", ".join(str(path.relative_to(PACKAGE)) for path in edited))
            _end(child)
            child = _start(command, sockets)
    _end(child)
    return 0


def _times() -> dict[Path, int]:
    """Anything that is new, gone or has another time makes them others."""
    found = {}
    for path in PACKAGE.rglob("*"):
        if path.suffix in SUFFIXES:
            try:
                found[path] = path.stat().st_mtime_ns
            except FileNotFoundError:  # an editor is just replacing it
                continue
    return found


def _start(command: str, sockets: list[socket]) -> BaseProcess:
    child = multiprocessing.get_context("fork").Process(target=_serve, args=(command, sockets))
    child.start()
    return child


def _end(child: BaseProcess) -> None:
    child.terminate()
    child.join(KILL_SECONDS)
    child.kill()
    child.join()


def _serve(command: str, sockets: list[socket]) -> None:
    """The child: serves what was edited, or says why it cannot."""
    for number in STOPS:
        signal.signal(number, signal.SIG_DFL)
    for name in [name for name in sys.modules if name.partition(".")[0] == gpuaas.__name__]:
        del sys.modules[name]
    kept = _Kept()
    stopped: tuple[type[BaseException], ...] = ()
    try:
        from gpuaas.cli import service
        from gpuaas.serve import serve as serve_edited
        from gpuaas.waiting import Stopped

        stopped = (Stopped,)

        with sockets[1].dup() as probes:
            made = service(command, probes)
        kept.app = made.app
        status = serve_edited(dataclasses.replace(made, app=kept), sockets, SHUTDOWN_SECONDS)
    except (Exception, SystemExit) as error:
        if isinstance(error, stopped):
            raise
        logs.configure("info")
        logger.exception("cannot start; the next edit is waited for")
        cause = mistake.found(kept.failure or error, PACKAGE)
        listen_port, probe_port = (each.getsockname()[1] for each in sockets)
        status = serve(mistake.service(command, cause, listen_port, probe_port), sockets, SHUTDOWN_SECONDS)
    sys.exit(status)


class _Kept:
    """An application whose failure to start is kept: uvicorn only logs it, and exits."""

    app: ASGIApp
    failure: BaseException | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except BaseException as error:
            if scope["type"] == "lifespan":
                self.failure = error
            raise
