"""Demo data: the same instances, ids and times in every database, for the realm's demo projects.

They are made by the statements of the API, each with its idempotency key and its
events. So a second run finds every key used and changes nothing, also where a
demo instance was deleted or others were made in between.

``created_by`` is the user's name: Keycloak's ids of users are not known here.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg.errors import UndefinedTable, UniqueViolation

from gpuaas import database, logs, redis_client
from gpuaas.api.cache import ListCache
from gpuaas.api.models import GpuType, InstanceRequest, Workload
from gpuaas.api.problems import ProblemError
from gpuaas.api.store import Store
from gpuaas.database import Pool
from gpuaas.settings import ApiSecrets, ApiSettings

EX_UNAVAILABLE = 69  # sysexits.h
BEGIN = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
_IDS = uuid.UUID("6770a5ed-0000-4000-8000-000000000000")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Demo:
    """One instance as somebody asked for it, and deleted it again or not."""

    project: str
    owner: str
    name: str
    gpu_type: GpuType
    gpu_count: int
    workload: Workload | None = None
    deleted: bool = False

    @property
    def key(self) -> str:
        """Its idempotency key."""
        return f"seed-{self.project}-{self.name}"

    @property
    def id(self) -> uuid.UUID:
        """The same in every database."""
        return uuid.uuid5(_IDS, self.key)


DEMOS = (
    Demo("atlas", "alice", "llm-pretraining", GpuType.H100, 8),
    Demo("atlas", "alice", "llm-evaluation", GpuType.A100, 2),
    Demo("atlas", "bob", "speech-finetuning", GpuType.A100, 4, Workload.NOTEBOOK),
    Demo("atlas", "bob", "image-tagging", GpuType.L40S, 1, Workload.INFERENCE),
    Demo("atlas", "alice", "first-try", GpuType.L40S, 1, deleted=True),
    Demo("borealis", "alice", "weather-model", GpuType.H100, 4),
    Demo("borealis", "bob", "render-farm", GpuType.L40S, 8, deleted=True),
)


def run(settings: ApiSettings, secrets: ApiSecrets) -> int:
    """Add what is not there yet, report; returns the exit status."""
    logs.configure(settings.log_level)
    try:
        made = asyncio.run(_run(settings, secrets))
    except UndefinedTable:
        _log.error("the database has no schema: run gpuaas migrate first")
        return 1
    except psycopg.OperationalError as error:
        _log.error("database is not reachable", extra={"fields": {"last_error": str(error).strip()}})
        return EX_UNAVAILABLE
    _log.info("demo data is there", extra={"fields": {"instances": len(DEMOS), "made": made}})
    return 0


async def _run(settings: ApiSettings, secrets: ApiSecrets) -> int:
    redis = redis_client.create(settings.redis_host, settings.redis_port, settings.redis_user, secrets.redis_password)
    try:
        async with database.create_pool(settings, secrets.database_password, size=1) as pool:
            allowed = settings.project_gpu_quota
            made = [await _make(pool, allowed, demo, BEGIN + timedelta(minutes=n)) for n, demo in enumerate(DEMOS)]
        # As the API does after a write: nobody is shown an older list.
        cache = ListCache(redis, settings.cache_seconds)
        for project in sorted({demo.project for demo in DEMOS}) if any(made) else ():
            await cache.invalidate(project)
    finally:
        await redis.aclose()
    return sum(made)


async def _make(pool: Pool, allowed: int, demo: Demo, at: datetime) -> bool:
    store = Store(pool, allowed, new_id=lambda: demo.id, now=lambda: at)
    request = InstanceRequest(name=demo.name, gpu_type=demo.gpu_type, gpu_count=demo.gpu_count, workload=demo.workload)
    try:
        created = await store.create(demo.owner, demo.key, demo.project, request)
        if demo.deleted:
            await store.delete(demo.owner, (demo.project,), created.instance_id)
    except ProblemError as problem:
        # It was deleted by an earlier run (which one that was stopped between the
        # two did not), was made by another version of this list, or is more than
        # its project may have.
        if problem.code not in ("not_found", "idempotency_conflict", "quota_exceeded"):
            raise
        return False
    except UniqueViolation:
        # Its key expired, it did not.
        return False
    return not created.replayed
