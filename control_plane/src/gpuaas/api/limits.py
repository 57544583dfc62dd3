"""Requests a subject may make in a minute, counted in Redis for all processes together."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable

from redis.asyncio import Redis

from gpuaas.api.problems import ProblemError

WINDOW_SECONDS = 60


class RateLimiter:
    """A fixed window: simple to explain, and one round trip."""

    def __init__(self, redis: Redis, per_minute: int, clock: Callable[[], float] = time.time) -> None:
        self._redis = redis
        self._per_minute = per_minute
        self._clock = clock

    async def count(self, subject: str) -> None:
        """Count one request. Raises ProblemError when there were too many, RedisError when it cannot be known."""
        window, elapsed = divmod(self._clock(), WINDOW_SECONDS)
        key = f"rate:{hashlib.sha256(subject.encode()).hexdigest()}:{int(window)}"
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.incr(key)
            pipeline.expire(key, WINDOW_SECONDS)
            used, _expiry = await pipeline.execute()
        if used > self._per_minute:
            wait = max(1, round(WINDOW_SECONDS - elapsed))
            raise ProblemError(
                429, "rate_limited", f"More than {self._per_minute} requests in a minute.", {"Retry-After": str(wait)}
            )
