"""What the console cannot work without: Redis. The identity provider and the API are not part of it."""

from __future__ import annotations

from gpuaas import redis_client
from gpuaas.probes import Check
from gpuaas.web.resources import Resources


def checks(its: Resources) -> dict[str, Check]:
    """What readiness asks, by name."""

    return {"redis": lambda: redis_client.fault(its.redis)}
