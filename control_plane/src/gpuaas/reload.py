"""For development: serves in a child process that is started again when the source changes.

uvicorn's reloader holds the socket, so that nobody is refused meanwhile, and
outlives a child that cannot start. Times of files are polled: that works on any
mount, and costs a millisecond four times a second.
"""

from __future__ import annotations

import functools
import logging
import sys
from pathlib import Path
from socket import socket

from uvicorn.supervisors.basereload import BaseReload

import gpuaas
from gpuaas import logs
from gpuaas.serve import configuration, serve

SUFFIXES = frozenset({".css", ".html", ".py", ".sql", ".svg"})
SHUTDOWN_SECONDS = 1  # who edits does not wait for a slow request
logger = logging.getLogger(__name__)


class _Reload(BaseReload):
    """Anything that is new, gone or has another time since the child before was started."""

    def watch(self, root: Path) -> int:
        """Serve until a signal; returns the exit status."""
        self.reloader_name = "--reload"
        self._root = root
        self._seen = _times(root)
        self.run()
        return 0

    def should_restart(self) -> list[Path] | None:
        self.pause()
        before, self._seen = self._seen, _times(self._root)
        return sorted({path for path, _modified in before.items() ^ self._seen.items()}) or None


def supervise(command: str, ports: tuple[int, int], log_level: str) -> int:
    """Serve ``command`` (``api`` or ``web``) and its probes until SIGTERM or SIGINT; returns the exit status."""
    logs.configure(log_level)
    configs = [configuration("gpuaas", port) for port in ports]
    sockets = [config.bind_socket() for config in configs]
    return _Reload(configs[0], functools.partial(_serve, command), sockets).watch(Path(gpuaas.__file__).parent)


def _times(root: Path) -> dict[Path, int]:
    found = {}
    for path in root.rglob("*"):
        if path.suffix in SUFFIXES:
            try:
                found[path] = path.stat().st_mtime_ns
            except FileNotFoundError:  # an editor is just replacing it
                continue
    return found


def _serve(command: str, sockets: list[socket]) -> None:
    """The child: imports what was edited, and serves it."""
    try:
        from gpuaas.cli import service

        serving = service(command)
    except Exception:
        logs.configure("info")
        logger.exception("cannot start; the next edit is waited for")
        sys.exit(1)
    sys.exit(serve(serving, sockets, SHUTDOWN_SECONDS))
