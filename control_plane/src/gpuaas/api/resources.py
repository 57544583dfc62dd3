"""What the routes share, opened and closed with the process."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from redis.asyncio import Redis

from gpuaas import database, redis_client
from gpuaas.api import expiry
from gpuaas.api.cache import ListCache
from gpuaas.api.dashboard.audit import Audit
from gpuaas.api.dashboard.devices import Devices
from gpuaas.api.dashboard.envelopes import Envelopes
from gpuaas.api.dashboard.reader import OverviewReader
from gpuaas.api.epochs import Epochs
from gpuaas.api.feed import Feed
from gpuaas.api.limits import RateLimiter
from gpuaas.api.operations import Operations
from gpuaas.api.platform.reader import PlatformReader
from gpuaas.api.store import Store
from gpuaas.api.timeline import TimelineReader
from gpuaas.database import Pool
from gpuaas.encryption.environment import environment_of
from gpuaas.encryption.providers import provider_of
from gpuaas.encryption.server import Escrow
from gpuaas.oidc import client
from gpuaas.oidc.provider import Provider
from gpuaas.settings import ApiSecrets, ApiSettings


@dataclass(frozen=True, slots=True)
class Resources:
    """Everything a request may need."""

    settings: ApiSettings
    configuration: dict[str, Any]
    probe_pool: Pool
    redis: Redis
    provider: Provider
    store: Store
    epochs: Epochs
    operations: Operations
    timeline: TimelineReader
    feed: Feed
    platform: PlatformReader
    overview: OverviewReader
    envelopes: Envelopes
    devices: Devices
    escrow: Escrow
    cache: ListCache
    limiter: RateLimiter


@asynccontextmanager
async def opened(
    settings: ApiSettings, secrets: ApiSecrets, tls: ssl.SSLContext, configuration: dict[str, Any]
) -> AsyncIterator[Resources]:
    """Open without waiting for anything: readiness tells what is missing."""
    redis = redis_client.create(settings.redis_host, settings.redis_port, settings.redis_user, secrets.redis_password)
    pool = database.create_pool(settings, secrets.database_password, settings.database_pool_size)
    # Requests may hold every connection of theirs: that is no reason to be taken for dead.
    probe_pool = database.create_pool(settings, secrets.database_password, size=1)
    http = client.create(tls)
    await pool.open(wait=False)
    await probe_pool.open(wait=False)
    timeline = TimelineReader(pool)
    cache = ListCache(redis, settings.cache_seconds)
    feed = Feed(timeline, cache.invalidate)
    environment = environment_of(settings.oidc_issuer)
    mode, member_keys = settings.security_mode, settings.member_keys
    root = provider_of(settings.key_provider, environment, settings.ca_file)
    escrow = Escrow(pool, mode, member_keys, environment, root)
    beside = [asyncio.create_task(expiry.run(pool)), asyncio.create_task(feed.run())]
    try:
        yield Resources(
            settings=settings,
            configuration=configuration,
            probe_pool=probe_pool,
            redis=redis,
            provider=Provider(settings.oidc_issuer, http),
            store=Store(pool, settings.project_gpu_quota, environment=environment),
            epochs=Epochs(pool, environment),
            operations=Operations(pool, settings.project_gpu_quota),
            timeline=timeline,
            feed=feed,
            platform=PlatformReader(pool),
            overview=OverviewReader(pool, mode, member_keys),
            envelopes=Envelopes(pool, mode, environment, escrow.context(Audit(pool).keep)),
            devices=Devices(pool),
            escrow=escrow,
            cache=cache,
            limiter=RateLimiter(redis, settings.rate_limit_per_minute),
        )
    finally:
        for task in beside:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await pool.close()
        await probe_pool.close()
        await http.aclose()
        await redis.aclose()


def resources(request: Request) -> Resources:
    """The dependency that routes ask for."""
    found: Resources = request.app.state.resources
    return found
