"""One Redis client for a process."""

from __future__ import annotations

from collections.abc import Iterable

from redis.asyncio import Connection, ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import RedisError

TIMEOUT_SECONDS = 2.0


def create(host: str, port: int, user: str, password: str) -> Redis:
    """A client that connects when first used, and reconnects once by itself."""
    pool = ConnectionPool(
        connection_class=_Connection,
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
    return Redis.from_pool(pool)


class _Connection(Connection):
    """Connects again where the server has closed it.

    asyncio raises TypeError or AttributeError for a write to such a transport (cpython 136234), which redis-py 8.1 lets
    through (redis-py 4287), and nobody would take for a store that does not answer.
    """

    async def send_packed_command(self, command: bytes | str | Iterable[bytes], check_health: bool = True) -> None:
        if self._writer is not None and self._writer.transport.is_closing():
            await self.disconnect(nowait=True)
        await super().send_packed_command(command, check_health)


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
