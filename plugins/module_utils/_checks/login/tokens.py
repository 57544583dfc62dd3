# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access tokens of demo users: one login for all the checks that need one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

# A token is used up to this many seconds before its end, so that it cannot end on the way.
_MARGIN = 10.0


@dataclass
class _Kept:
    token: str
    until: float


class Tokens:
    """Keeps tokens by user and client until shortly before they end; concurrent callers share one login. Thread-safe."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._kept: dict[tuple[str, str], _Kept] = {}

    def alone(self, user: str) -> threading.Lock:
        """The lock that every login of a user is made under, for a ``with``.

        Keycloak's brute-force protection refuses a login of a user while another one of the same user is on its
        way, as if the password were wrong.
        """
        with self._lock:
            return self._locks.setdefault(user, threading.Lock())

    def get(self, user: str, client: str, fetch: Callable[[], tuple[str, float]]) -> str:
        """The token kept of a user and a client, else what ``fetch`` returns: a token and the seconds it lives.

        Raises what ``fetch`` raises; a failure is not kept.
        """
        with self.alone(user):
            kept = self._kept.get((user, client))
            if kept is None or self._clock() >= kept.until:
                token, lifetime = fetch()
                kept = self._kept[user, client] = _Kept(token, self._clock() + lifetime - _MARGIN)
            return kept.token
