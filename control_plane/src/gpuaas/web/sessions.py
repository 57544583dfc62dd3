"""Sessions in Redis. The browser holds a random id; Redis knows only its digest, and what is sealed for it."""

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
from gpuaas.web.sealing import Sealer

# Of the fields of a session: another version's is none.
VERSION = 3
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
    subject: str
    username: str
    csrf_token: str

    def expires_within(self, seconds: float) -> bool:
        """Whether the access token is about to end."""
        return time.time() + seconds >= self.expires_at


class SessionStore:
    """Every method may raise RedisError."""

    def __init__(self, redis: Redis, sealer: Sealer, seconds: int) -> None:
        self._redis = redis
        self._sealer = sealer
        self._seconds = seconds

    async def create(self, session: Session) -> str:
        """Store under a new id, which is returned."""
        identity = random_id()
        key = _key("session", identity)
        await self._redis.set(key, self._sealed(key, session), ex=self._seconds)
        return identity

    async def load(self, identity: str) -> Session | None:
        """The session of an id; None also for one that another key or version wrote."""
        key = _key("session", identity)
        stored = redis_client.text(await self._redis.get(key))
        text = self._sealer.open(stored, key) if stored else None
        document = json.loads(text) if text else {}
        return Session(**document["session"]) if document.get("version") == VERSION else None

    async def update(self, identity: str, session: Session) -> bool:
        """Replace it and make it live no longer; False, and nothing is done, when it was ended meanwhile."""
        key = _key("session", identity)
        return bool(await self._redis.set(key, self._sealed(key, session), xx=True, keepttl=True))

    async def lives(self, identity: str) -> bool:
        """Whether it was neither ended nor too long ago."""
        return await self._redis.get(_key("session", identity)) is not None

    async def end(self, identity: str) -> None:
        """Forget it."""
        await self._redis.delete(_key("session", identity), _key("flash", identity))

    def lock(self, identity: str, wait: bool) -> AbstractAsyncContextManager[Any]:
        """One refresh at a time: a refresh token may be good for one use only. Raises LockError when it is taken."""
        return self._redis.lock(
            _key("lock", identity),
            timeout=LOCK_SECONDS,
            blocking=wait,
            blocking_timeout=LOCK_SECONDS if wait else None,
        )

    def _sealed(self, key: str, session: Session) -> str:
        return self._sealer.seal(json.dumps({"version": VERSION, "session": asdict(session)}), key)

    async def flash(self, identity: str, message: str) -> None:
        """Leave a message for the next page."""
        await self._redis.set(_key("flash", identity), message, ex=FLASH_SECONDS)

    async def take_flash(self, identity: str) -> str | None:
        """The message, once."""
        return redis_client.text(await self._redis.getdel(_key("flash", identity)))


def _key(kind: str, identity: str) -> str:
    return f"{kind}:{hashlib.sha256(identity.encode()).hexdigest()}"
