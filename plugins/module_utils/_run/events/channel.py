# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a step, which works in a process of its own, to the run that it belongs to.

Ansible forks a worker for each step. A pair of sockets that keeps messages whole and in order
(SOCK_SEQPACKET, unix(7)) is there before, so every worker has it.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
from collections.abc import Iterator
from typing import Any

from ansible_collections.gpuaas.parity.plugins.module_utils._run.events.model import Emit, Event, fields

_MOST = 64 * 1024  # bytes of one text; a message must fit into the socket's buffer
_PATIENCE = 5.0  # seconds that a step waits for a run that does not read; an event is not worth more


class Channel:
    """One end sends events, in any process; the other end is drained in the run's own."""

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._reader.setblocking(False)
        self._writer.settimeout(_PATIENCE)

    def send(self, event: Event) -> None:
        """Send an event. One that cannot be sent is lost: the work matters more than what is told of it."""
        told = {name: _cut(value) for name, value in fields(event).items()}
        with contextlib.suppress(OSError):
            self._writer.send(json.dumps(told).encode())

    def drain(self) -> Iterator[dict[str, Any]]:
        """Every event that has been sent and not been read."""
        while True:
            try:
                message = self._reader.recv(2 * 1024 * 1024)
            except OSError:
                return
            if not message:
                return
            yield json.loads(message)

    def wait(self, seconds: float) -> None:
        """Return when there is something to drain, or after ``seconds``."""
        with contextlib.suppress(OSError, ValueError):
            select.select([self._reader], [], [], seconds)


def _cut(value: Any) -> Any:
    return f"{value[:_MOST]}…" if isinstance(value, str) and len(value) > _MOST else value


_channel: Channel | None = None


def connect() -> Channel:
    """The channel of this run; the workers that are forked from now on send to it."""
    global _channel
    _channel = Channel()
    return _channel


def sender() -> Emit | None:
    """Where a step sends its events; None when nobody reads them, which is so with a callback that is not ours."""
    return _channel.send if _channel else None
