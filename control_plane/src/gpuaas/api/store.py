"""Instances in Postgres. A change, its event and its idempotency key are one transaction."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from psycopg.rows import DictRow

from gpuaas import effects
from gpuaas.api import idempotency, private, quota
from gpuaas.api.idempotency import Answer
from gpuaas.api.models import Instance, InstanceDetail, InstanceRequest, Quota
from gpuaas.api.problems import ProblemError
from gpuaas.database import Pool
from gpuaas.encryption.refusal import Reason, RefusedError

_REQUESTED = "id, project, name, gpu_type, gpu_count, state, created_by, created_at, workload"
COLUMNS = f"{_REQUESTED}, wanted_gpu_count, reason, workload_state"


class Store:
    """Instances as they are asked for, looked at and deleted; a project may use ``gpus_allowed``."""

    def __init__(
        self,
        pool: Pool,
        gpus_allowed: int,
        new_id: Callable[[], uuid.UUID] = uuid.uuid4,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        environment: str = "",
    ) -> None:
        self._pool = pool
        self._gpus_allowed = gpus_allowed
        self._new_id = new_id
        self._now = now
        self._environment = environment

    async def create(self, subject: str, key: str, project: str, request: InstanceRequest) -> Answer:
        """Create once for each key of a subject.

        Raises ProblemError when the key was used for something else, or the project's quota does not allow it, and
        RefusedError when what is private is not sealed as it should be.
        """
        instance = Instance(
            # Who seals something binds it to the instance, and so has drawn its id.
            id=request.private.instance_id if request.private else self._new_id(),
            project=project,
            name=request.name,
            gpu_type=request.gpu_type,
            gpu_count=request.gpu_count,
            state="requested",
            created_by=subject,
            created_at=self._now(),
            workload=request.workload,
        )
        # What is not asked for is left out: a request means the same to a version that does not know it.
        digest = idempotency.digest({**request.model_dump(mode="json", exclude_none=True), "project": project})
        body = instance.model_dump_json()
        async with self._pool.connection() as connection:
            if not await idempotency.claim(connection, subject, key, digest, instance.id, body):
                return await idempotency.replay(connection, subject, key, digest)
            await quota.claim(connection, project, self._gpus_allowed, request.gpu_count)
            made = await connection.execute(
                f"INSERT INTO instances ({_REQUESTED}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)"
                " ON CONFLICT (id) DO NOTHING",
                [
                    instance.id,
                    project,
                    request.name,
                    request.gpu_type,
                    request.gpu_count,
                    instance.state,
                    subject,
                    instance.created_at,
                    request.workload,
                ],
            )
            if made.rowcount == 0:
                raise RefusedError(Reason.ENVELOPE_REPLAYED, f"instance {instance.id} is there already")
            if request.private is not None:
                await private.keep(connection, self._environment, instance, request.private)
            await effects.emit(connection, "instance.requested", instance.id, told(instance, subject))
        return Answer(instance.id, body, replayed=False)

    async def delete(self, subject: str, projects: tuple[str, ...], identity: uuid.UUID) -> Instance:
        """Delete an instance of one of ``projects``. Raises ProblemError when there is none."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "UPDATE instances SET state = 'deleted', deleted_at = now(), wanted_gpu_count = NULL"
                f" WHERE id = %s AND project = ANY(%s) AND deleted_at IS NULL RETURNING {COLUMNS}",
                [identity, list(projects)],
            )
            instance = instance_of(await cursor.fetchone())
            await effects.emit(connection, "instance.deleted", instance.id, told(instance, subject))
        return instance

    async def get(self, projects: tuple[str, ...], identity: uuid.UUID) -> InstanceDetail:
        """An instance of one of ``projects``. Raises ProblemError when there is none."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                f"SELECT {COLUMNS} FROM instances WHERE id = %s AND project = ANY(%s) AND deleted_at IS NULL",
                [identity, list(projects)],
            )
            instance = instance_of(await cursor.fetchone())
            kept = await private.of(connection, identity)
        return InstanceDetail(**instance.model_dump(), private=kept)

    async def quota(self, project: str) -> Quota:
        """What a project uses, and what it may."""
        async with self._pool.connection() as connection:
            used = await quota.used(connection, project)
        return Quota(project=project, gpus_used=used, gpus_allowed=self._gpus_allowed)

    async def page(self, project: str, limit: int, after: uuid.UUID | None) -> tuple[list[Instance], uuid.UUID | None]:
        """Newest first, from the one after ``after``; and what to pass for the next page."""
        # A deleted instance is still a place in the order, so a cursor outlives its instance.
        older = (
            "AND (created_at, id) < (SELECT created_at, id FROM instances WHERE id = %(after)s AND project = %(project)s)"
            if after
            else ""
        )
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                f"SELECT {COLUMNS} FROM instances WHERE project = %(project)s AND deleted_at IS NULL {older}"
                " ORDER BY created_at DESC, id DESC LIMIT %(limit)s",
                {"project": project, "after": after, "limit": limit + 1},
            )
            rows = await cursor.fetchall()
        instances = [Instance.model_validate(row) for row in rows[:limit]]
        return instances, instances[-1].id if len(rows) > limit else None


def told(instance: Instance, actor: str) -> dict[str, Any]:
    return {"instance": instance.model_dump(mode="json"), "actor": actor}


def instance_of(row: DictRow | None) -> Instance:
    if row is None:
        raise ProblemError(404, "not_found", "There is no such instance.")
    return Instance.model_validate(row)
