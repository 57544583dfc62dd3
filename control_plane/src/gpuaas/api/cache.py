"""Cached pages of a project's list.

A page is stored under the project's generation. A write gives the project a new
one, so a slow reader can only ever store what it read under a generation that
nobody asks for any more: no page that is older than an acknowledged write is
served.
"""

from __future__ import annotations

import hashlib
import logging
import uuid

from redis.asyncio import Redis
from redis.exceptions import RedisError

from gpuaas import redis_client

GENERATION_SECONDS = 86400
_log = logging.getLogger(__name__)


class ListCache:
    """Rendered pages, as text."""

    def __init__(self, redis: Redis, seconds: int) -> None:
        self._redis = redis
        self._seconds = seconds

    async def slot(self, project: str, limit: int, after: object) -> str:
        """The key of a page, to be taken before the database is read. Raises RedisError."""
        name = _generation_key(project)
        generation = redis_client.text(await self._redis.get(name))
        if generation is None:
            await self._redis.set(name, uuid.uuid4().hex, nx=True, ex=GENERATION_SECONDS)
            generation = redis_client.text(await self._redis.get(name))
        return f"list:{_digest(project)}:{generation}:{limit}:{after}"

    async def get(self, slot: str) -> str | None:
        """A page, when it is there. Raises RedisError."""
        return redis_client.text(await self._redis.get(slot))

    async def put(self, slot: str, page: str) -> None:
        """Keep a page for its time. Raises RedisError."""
        await self._redis.set(slot, page, ex=self._seconds)

    async def invalidate(self, project: str) -> None:
        """Forget a project's pages. The write stands whatever happens here; the pages end by themselves."""
        try:
            await self._redis.set(_generation_key(project), uuid.uuid4().hex, ex=GENERATION_SECONDS)
        except RedisError as error:
            _log.warning("cache not invalidated", extra={"fields": {"cause": f"{type(error).__name__}: {error}"}})


def _generation_key(project: str) -> str:
    return f"generation:{_digest(project)}"


def _digest(project: str) -> str:
    return hashlib.sha256(project.encode()).hexdigest()[:32]
