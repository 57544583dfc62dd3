"""Demo data: the same instances, ids and times in every database, for the realm's demo projects.

They are made by the statements of the API, each with its idempotency key and its
events. So a second run finds every key used and changes nothing, also where a
demo instance was deleted or others were made in between.

Where the security mode lets the server hold members' keys, the projects' owners are made up as members, with their keys in
escrow, and what is private of an instance is sealed by them as a client would seal it.

``created_by`` is the user's name: Keycloak's ids of users are not known here.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psycopg
from psycopg.errors import UndefinedTable

from gpuaas import database, logs, redis_client
from gpuaas.api.cache import ListCache
from gpuaas.api.models import GpuType, InstanceRequest, Private, Workload
from gpuaas.api.problems import ProblemError
from gpuaas.api.store import Store
from gpuaas.database import Pool
from gpuaas.encryption import founding
from gpuaas.encryption.environment import environment_of
from gpuaas.encryption.founding import Founder
from gpuaas.encryption.providers import KeyProvider, provider_of
from gpuaas.encryption.refusal import Reason, RefusedError
from gpuaas.encryption.security import MemberKeys
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
    private: str = ""

    @property
    def key(self) -> str:
        """Its idempotency key."""
        return f"seed-{self.project}-{self.name}"

    @property
    def id(self) -> uuid.UUID:
        """The same in every database."""
        return uuid.uuid5(_IDS, self.key)


DEMOS = (
    Demo(
        "atlas",
        "alice",
        "llm-pretraining",
        GpuType.H100,
        8,
        private='{"start_script": "torchrun --nproc-per-node 8 pretrain.py --corpus s3://atlas/corpus"}',
    ),
    Demo("atlas", "alice", "llm-evaluation", GpuType.A100, 2),
    Demo("atlas", "bob", "speech-finetuning", GpuType.A100, 4, Workload.NOTEBOOK),
    Demo("atlas", "bob", "image-tagging", GpuType.L40S, 1, Workload.INFERENCE),
    Demo("atlas", "alice", "first-try", GpuType.L40S, 1, deleted=True),
    Demo(
        "borealis",
        "alice",
        "weather-model",
        GpuType.H100,
        4,
        private='{"start_script": "python forecast.py --region arctic"}',
    ),
    Demo("borealis", "bob", "render-farm", GpuType.L40S, 8, deleted=True),
)


def run(settings: ApiSettings, secrets: ApiSecrets) -> int:
    """Add what is not there yet, report; returns the exit status."""
    logs.configure(settings.log_level)
    try:
        made, members = asyncio.run(_run(settings, secrets))
    except UndefinedTable:
        _log.error("the database has no schema: run gpuaas migrate first")
        return 1
    except psycopg.OperationalError as error:
        _log.error("database is not reachable", extra={"fields": {"last_error": str(error).strip()}})
        return EX_UNAVAILABLE
    fields = {"instances": len(DEMOS), "made": made, "members": members}
    _log.info("demo data is there", extra={"fields": fields})
    return 0


async def _run(settings: ApiSettings, secrets: ApiSecrets) -> tuple[int, dict[str, str]]:
    """How many instances were made, and what came of each project's members."""
    environment = environment_of(settings.oidc_issuer)
    root = provider_of(settings.key_provider, environment, settings.ca_file)
    redis = redis_client.create(settings.redis_host, settings.redis_port, settings.redis_user, secrets.redis_password)
    try:
        async with database.create_pool(settings, secrets.database_password, size=1) as pool:
            founders: dict[str, Founder] = {}
            said: dict[str, str] = {}
            for project in sorted({demo.project for demo in DEMOS}):
                said[project] = "none"
                if settings.member_keys is not MemberKeys.DEVICES and root.scheme != "none":
                    said[project] = await _found(pool, environment, project, root, founders)
            made = [
                await _make(pool, settings, demo, BEGIN + timedelta(minutes=n), founders.get(demo.project))
                for n, demo in enumerate(DEMOS)
            ]
        # As the API does after a write: nobody is shown an older list.
        cache = ListCache(redis, settings.cache_seconds)
        for project in sorted({demo.project for demo in DEMOS}) if any(made) else ():
            await cache.invalidate(project)
    finally:
        await redis.aclose()
    return sum(made), said


async def _found(pool: Pool, environment: str, project: str, root: KeyProvider, founders: dict[str, Founder]) -> str:
    """Make a project's owners its members; returns what came of it. The rest of the data does not need them."""
    names = sorted({demo.owner for demo in DEMOS if demo.project == project})
    try:
        async with pool.connection() as connection:
            founder = await founding.found(connection, environment, project, names, root)
    except RefusedError as refused:
        _log.error(
            "members of a demo project are not there", extra={"fields": {"project": project, "cause": str(refused)}}
        )
        return refused.reason
    if founder is None:
        return "others"  # Its epochs are somebody else's, who left no key here.
    founders[project] = founder
    return "made" if founder.made else "there"


def _private(demo: Demo, founder: Founder | None) -> Private | None:
    if not demo.private or founder is None:
        return None
    return Private(instance_id=demo.id, envelope=founder.seal(demo.private.encode(), demo.id, demo.name))


async def _make(pool: Pool, settings: ApiSettings, demo: Demo, at: datetime, founder: Founder | None) -> bool:
    environment = environment_of(settings.oidc_issuer)
    store = Store(pool, settings.project_gpu_quota, new_id=lambda: demo.id, now=lambda: at, environment=environment)
    request = InstanceRequest(
        name=demo.name,
        gpu_type=demo.gpu_type,
        gpu_count=demo.gpu_count,
        workload=demo.workload,
        private=_private(demo, founder),
    )
    try:
        created = await store.create(demo.owner, demo.key, demo.project, request)
        if demo.deleted:
            await store.delete(demo.owner, (demo.project,), created.instance_id)
    except ProblemError as problem:
        # It was deleted by an earlier run (which one that was stopped between the
        # two did not), was made by another version of this list or sealed, which
        # gives other bytes each time, or is more than its project may have.
        if problem.code not in ("not_found", "idempotency_conflict", "quota_exceeded"):
            raise
        return False
    except RefusedError as refused:
        if refused.reason is not Reason.ENVELOPE_REPLAYED:
            raise
        # Its key expired, it did not.
        return False
    return not created.replayed
