"""A process that comes before the server of its secrets waits for it, and says on the port of its probes for what.

It is live and not ready meanwhile. To end instead would be a crash loop, which is slower than what it waits for, and looks
like a fault of its own.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable
from typing import Protocol

from gpuaas import logs
from gpuaas.settings import ConfigurationError, NotYetError

FIRST_RETRY_SECONDS = 0.2
LAST_RETRY_SECONDS = 2.0
# Who is refused for as long is no process of before a rotation, nor is the server: a rollout takes seconds.
REFUSED_SECONDS = 60.0
# Of a command without probes, as `gpuaas migrate` gives its database.
DEADLINE_SECONDS = 60.0
_log = logging.getLogger(__name__)


class Stopped(SystemExit):
    """The process was told to stop while it waited."""


class _Probed(Protocol):
    @property
    def probe_port(self) -> int: ...
    @property
    def log_level(self) -> str: ...


def until[T](read: Callable[[], T], settings: _Probed, probes: socket.socket | None = None) -> T:
    """What ``read`` returns, as soon as it does. ``probes`` is a socket of the probes' port that is bound already.

    Raises ConfigurationError for what time does not mend, and Stopped.
    """
    try:
        return read()
    except NotYetError as error:
        first = error
    # Hardly anybody waits: who does not imports no server for it.
    from gpuaas.probes import answering
    from gpuaas.worker import Server, Worker

    logs.configure(settings.log_level)
    waiting = _Waiting(read, first)
    checks = {"secrets": answering(waiting.fault)}
    server = Server(Worker(waiting.work, checks, settings.probe_port, settings.log_level))
    server.run(None if probes is None else [probes])
    return waiting.outcome()


def briefly[T](read: Callable[[], T], seconds: float | None = None) -> T:
    """The same of a command that ends by itself, and has no probes. Raises ConfigurationError."""
    end, delay = time.monotonic() + (DEADLINE_SECONDS if seconds is None else seconds), FIRST_RETRY_SECONDS
    while True:
        try:
            return read()
        except NotYetError:
            if time.monotonic() + delay > end:
                raise
        time.sleep(delay)
        delay = min(2 * delay, LAST_RETRY_SECONDS)


class _Waiting[T]:
    """Asks until there is an outcome: what was read, or why that will never be."""

    def __init__(self, read: Callable[[], T], first: NotYetError) -> None:
        self._read = read
        self._found: list[T] = []
        self._ended: ConfigurationError | None = None
        self._refused_since: float | None = None
        self._fault = ""
        self._note(first)

    def fault(self) -> str | None:
        """What it waits for."""
        return self._fault

    def outcome(self) -> T:
        """What was read. Raises what it ended with, Stopped where it was told to stop before there was an outcome."""
        if self._ended:
            raise self._ended
        if not self._found:
            raise Stopped(0)
        return self._found[0]

    async def work(self) -> None:
        """Return with an outcome."""
        delay = FIRST_RETRY_SECONDS
        while not (self._found or self._ended):
            await asyncio.sleep(delay)
            delay = min(2 * delay, LAST_RETRY_SECONDS)
            try:
                self._found.append(await asyncio.to_thread(self._read))
            except NotYetError as error:
                self._note(error)
            except ConfigurationError as error:
                self._ended = error
        if self._found:
            _log.info("secrets are there")

    def _note(self, error: NotYetError) -> None:
        if str(error) != self._fault:
            self._fault = str(error)
            _log.warning("waiting for secrets", extra={"fields": {"cause": self._fault}})
        if not error.refused:
            self._refused_since = None
        elif self._refused_since is None:
            self._refused_since = time.monotonic()
        elif time.monotonic() - self._refused_since > REFUSED_SECONDS:
            self._ended = error
