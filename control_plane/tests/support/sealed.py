"""Sessions as they lie in Redis, read and written with the console's key."""

from __future__ import annotations

import base64
import json
from typing import Any

import redis

from gpuaas.web.sealing import Sealer

KEY = bytes(range(32))
SESSION_KEY = base64.b64encode(KEY).decode()


def sessions_of(client: redis.Redis) -> list[str]:
    """The keys of all sessions."""
    return [str(key) for key in client.scan_iter() if str(key).startswith("session:")]


def read(client: redis.Redis, key: str) -> dict[str, Any]:
    """What is sealed there."""
    document: dict[str, Any] = json.loads(Sealer(KEY, "session").open(str(client.get(key)), key) or "{}")
    return document


def write(client: redis.Redis, key: str, document: dict[str, Any], secret: bytes = KEY, context: str = "") -> None:
    """Seal something in its place."""
    client.set(key, Sealer(secret, "session").seal(json.dumps(document), context or key), keepttl=True)
