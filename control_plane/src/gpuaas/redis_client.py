"""One Redis client for a process."""

from __future__ import annotations

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import RedisError

TIMEOUT_SECONDS = 2.0


def create(host: str, port: int, user: str, password: str) -> Redis:
    """A client that connects when first used, and reconnects once by itself."""
    return Redis(
        host=host,
        port=port,
        username=user,
        password=password,
        decode_responses=True,
        protocol=2,
        socket_connect_timeout=TIMEOUT_SECONDS,
        socket_timeout=TIMEOUT_SECONDS,
        retry=Retry(ExponentialBackoff(cap=0.2, base=0.05), 1),
        max_connections=50,
    )


async def fault(redis: Redis) -> str | None:
    """Why it cannot be used, or None."""
    try:
        await redis.ping()
    except RedisError as error:
        return f"not reachable ({type(error).__name__})"
    return None


def text(value: bytes | str | None) -> str | None:
    """What a read returned, as text."""
    return value.decode() if isinstance(value, bytes) else value
