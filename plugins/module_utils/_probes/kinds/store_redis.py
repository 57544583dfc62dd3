# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Redis, the way a user reaches it: a read through the API comes from the cache the second time."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import httpx
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.model import Context, Observation, failed, passed
from ansible_collections.gpuaas.parity.plugins.module_utils._probes.users import bearer, user_token

_POLL = 0.25


@dataclass(frozen=True)
class StoreRedis:
    """A GET of ``url`` with ``X-Cache: miss`` is followed by one with ``X-Cache: hit``.

    A page size that is hardly ever asked for makes the first a miss. It may still be a hit of an earlier
    read, and another's write may come between the two; so reads go on until a hit follows a miss, at most
    ``within`` seconds, which must exceed the life of a cached read.
    """

    url: str
    user: str = "alice"
    within: float = 12

    def run(self, context: Context) -> Observation:
        carried = bearer(user_token(context, self.user))
        deadline = context.clock() + self.within
        seen: list[str] = []
        page = {"limit": str(51 + secrets.randbelow(149))}
        while True:
            try:
                answer = context.http.get(self.url, params=page, headers=carried)
            except httpx.TransportError as error:
                return failed("HTTP_UNREACHABLE", f"{self.url}: {type(error).__name__}: {error}")
            seen.append(answer.headers.get("x-cache", "absent").lower())
            if answer.status_code != 200 or seen[-1] not in ("hit", "miss"):
                return failed("STORE_ROUNDTRIP_FAILED", f"{self.url}: {answer.status_code}, X-Cache {seen[-1]}")
            if seen[-2:] == ["miss", "hit"]:
                return passed(f"{self.url}: X-Cache miss, then hit")
            if context.clock() >= deadline:
                return failed("STORE_ROUNDTRIP_FAILED", f"X-Cache was {seen[-1]} to the end of {self.within:g} s, never a hit after a miss")
            if seen[-1] == "hit":
                context.sleep(_POLL)
