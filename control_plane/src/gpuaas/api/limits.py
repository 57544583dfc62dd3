"""Requests a subject may make in a minute, counted in Redis for all processes together.

A minute is any sixty seconds, wherever they begin. Requests are counted by five
seconds, and the oldest five count whole: so the bound is never exceeded, and
who is just below it may wait a few seconds more than needed.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Sequence

from redis.asyncio import Redis

from gpuaas.api.problems import ProblemError

WINDOW_SECONDS = 60
SLICE_SECONDS = 5
# The slice at hand, those of the minute before, and the one that the minute began in.
SLICES = WINDOW_SECONDS // SLICE_SECONDS + 1


class RateLimiter:
    """A sliding window, in one round trip."""

    def __init__(self, redis: Redis, per_minute: int, clock: Callable[[], float] = time.time) -> None:
        self._redis = redis
        self._per_minute = per_minute
        self._clock = clock

    async def count(self, subject: str) -> None:
        """Count one request. Raises ProblemError when there were too many, RedisError when it cannot be known."""
        now = self._clock()
        current = int(now // SLICE_SECONDS)
        name = f"rate:{hashlib.sha256(subject.encode()).hexdigest()}"
        keys = [f"{name}:{current - age}" for age in range(SLICES)]
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.incr(keys[0])
            pipeline.expire(keys[0], SLICES * SLICE_SECONDS)
            pipeline.mget(keys)
            _now, _expiry, counts = await pipeline.execute()
        used = [int(count or 0) for count in counts]
        if sum(used) > self._per_minute:
            # What is refused does not count, so that it is not waited for.
            await self._redis.decr(keys[0])
            wait = _slices_until(used, self._per_minute) * SLICE_SECONDS - now % SLICE_SECONDS
            raise ProblemError(
                429,
                "rate_limited",
                f"More than {self._per_minute} requests in a minute.",
                {"Retry-After": str(math.ceil(wait))},
            )


def _slices_until(used: Sequence[int], bound: int) -> int:
    """How many slices must pass until those that are left, newest first, hold no more than ``bound``."""
    return next(passed for passed in range(1, SLICES + 1) if sum(used[: SLICES - passed]) <= bound)
