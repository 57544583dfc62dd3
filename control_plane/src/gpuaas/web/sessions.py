"""Sessions in Redis. The browser holds a random id; Redis knows only its digest."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass
from typing import Any

from redis.asyncio import Redis

from gpuaas import redis_client

FLASH_SECONDS = 60
LOCK_SECONDS = 15


def random_id() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(32)


@dataclass(slots=True)
class Session:
    """What we remember of somebody who logged in."""

    access_token: str
    refresh_token: str | None
    id_token: str
    expires_at: float
    username: str
    csrf_token: str

    def expires_within(self, seconds: float) -> bool:
        """Whether the access token is about to end."""
        return time.time() + seconds >= self.expires_at


class SessionStore:
    """Every method may raise RedisError."""

    def __init__(self, redis: Redis, seconds: int) -> None:
        self._redis = redis
        self._seconds = seconds

    async def create(self, session: Session) -> str:
        """Store under a new id, which is returned."""
        identity = random_id()
        await self._redis.set(_key("session", identity), json.dumps(asdict(session)), ex=self._seconds)
        return identity

    async def load(self, identity: str) -> Session | None:
        """The session of an id."""
        stored = redis_client.text(await self._redis.get(_key("session", identity)))
        return Session(**json.loads(stored)) if stored else None

    async def update(self, identity: str, session: Session) -> None:
        """Replace it, but never bring back one that was ended meanwhile, nor make it live longer."""
        await self._redis.set(_key("session", identity), json.dumps(asdict(session)), xx=True, keepttl=True)

    async def end(self, identity: str) -> None:
        """Forget it."""
        await self._redis.delete(_key("session", identity), _key("flash", identity))

    def lock(self, identity: str) -> AbstractAsyncContextManager[Any]:
        """One refresh at a time: a refresh token may be good for one use only."""
        return self._redis.lock(_key("lock", identity), timeout=LOCK_SECONDS, blocking_timeout=LOCK_SECONDS)

    async def flash(self, identity: str, message: str) -> None:
        """Leave a message for the next page."""
        await self._redis.set(_key("flash", identity), message, ex=FLASH_SECONDS)

    async def take_flash(self, identity: str) -> str | None:
        """The message, once."""
        return redis_client.text(await self._redis.getdel(_key("flash", identity)))


def _key(kind: str, identity: str) -> str:
    return f"{kind}:{hashlib.sha256(identity.encode()).hexdigest()}"
