# Copyright: gpuaas.parity contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A read through an API that comes from the cache the second time."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import ClassVar

from ansible_collections.gpuaas.parity.plugins.module_utils._checks.engine.model import HERE, Context, Observation, failed, passed
from ansible_collections.gpuaas.parity.plugins.module_utils._checks.login.users import bearer, user_token
from ansible_collections.gpuaas.parity.plugins.module_utils._libraries import httpx

_POLL = 0.25


@dataclass(frozen=True)
class CachedRead:
    """A GET of ``url`` with ``X-Cache: miss`` is followed by one with ``X-Cache: hit``.

    ``vary`` is a parameter that takes any of ``values`` (the first and the last of whole numbers): one that is hardly
    ever asked for makes the first a miss. It may still be a hit of an earlier read, and another's write may come between
    the two; so reads go on until a hit follows a miss, at most ``within`` seconds, which must exceed the life of a
    cached read. ``user`` logged in through ``client``.
    """

    targets: ClassVar[frozenset[str]] = HERE
    url: str
    user: str
    client: str
    vary: str
    values: list[int]
    within: float = 12

    def __post_init__(self) -> None:
        if len(self.values) != 2 or self.values[0] >= self.values[1]:
            raise ValueError(f"values {self.values} are not a first and a greater last number")

    def run(self, context: Context) -> Observation:
        carried = bearer(user_token(context, self.user, self.client))
        deadline = context.clock() + self.within
        seen: list[str] = []
        first, last = self.values
        page = {self.vary: str(first + secrets.randbelow(last - first + 1))}
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
