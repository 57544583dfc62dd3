"""WebSockets (RFC 6455) of the console: how one ends, how many there may be, and that nobody is waited for who does not read."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

# The API has as many for a subject, in all its sessions.
MAX_OF_A_SESSION = 6
MAX_SOCKETS = 100


class End(Enum):
    """Why a socket is closed: code (RFC 6455, section 7.4; those from 4000 on are ours) and reason, which is stable."""

    CLIENT_SPOKE = 1008, "client_spoke"
    SLOW_READER = 1008, "slow_reader"
    INTERNAL = 1011, "internal"
    RESTARTING = 1012, "restarting"
    UNAVAILABLE = 1013, "unavailable"
    INVALID_REQUEST = 4400, "invalid_request"
    SESSION_ENDED = 4401, "session_ended"
    FORBIDDEN = 4403, "forbidden"
    POSITION_GONE = 4410, "position_gone"
    TOO_MANY = 4429, "too_many"

    @property
    def code(self) -> int:
        return self.value[0]

    @property
    def reason(self) -> str:
        return self.value[1]


@dataclass
class EndedError(Exception):
    """A socket has to be closed."""

    end: End


class Places:
    """Who has a socket open: each one costs a connection, a task and a stream of the API."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()

    @contextmanager
    def taken(self, session_id: str) -> Iterator[None]:
        """A place of a session. Raises EndedError when there is none."""
        if self._taken.total() >= MAX_SOCKETS or self._taken[session_id] >= MAX_OF_A_SESSION:
            raise EndedError(End.TOO_MANY)
        self._taken[session_id] += 1
        try:
            yield
        finally:
            self._taken[session_id] -= 1
            self._taken += Counter()  # drops those that have none


class Protocol(WebSocketsSansIOProtocol):
    """Ends a connection without sending the rest to who takes nothing: ``close`` of a transport waits for that for ever."""

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self._reset()

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        super().on_task_complete(task)
        if not self.writable.is_set():
            self._reset()

    def _reset(self) -> None:
        """What the kernel still holds goes with it (socket(7), SO_LINGER)."""
        if taken := self.transport.get_extra_info("socket"):
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()
