"""Instances in Postgres. A change, its event and its idempotency key are one transaction."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import DictRow

from gpuaas import effects
from gpuaas.api.models import Instance, InstanceRequest
from gpuaas.api.problems import ProblemError
from gpuaas.database import Pool

_REQUESTED = "id, project, name, gpu_type, gpu_count, state, created_by, created_at, workload"
_COLUMNS = f"{_REQUESTED}, reason, workload_state"


@dataclass(frozen=True, slots=True)
class Created:
    """The answer to a create: ``body`` is byte for byte what the first request got."""

    instance_id: uuid.UUID
    body: str
    replayed: bool


class Store:
    """Every statement of the API, but for readiness."""

    def __init__(
        self,
        pool: Pool,
        new_id: Callable[[], uuid.UUID] = uuid.uuid4,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._pool = pool
        self._new_id = new_id
        self._now = now

    async def create(self, subject: str, key: str, project: str, request: InstanceRequest) -> Created:
        """Create once for each key of a subject. Raises ProblemError when the key was used for something else."""
        instance = Instance(
            id=self._new_id(),
            project=project,
            name=request.name,
            gpu_type=request.gpu_type,
            gpu_count=request.gpu_count,
            state="requested",
            created_by=subject,
            created_at=self._now(),
            workload=request.workload,
        )
        digest = _digest(project, request)
        body = instance.model_dump_json()
        async with self._pool.connection() as connection:
            # A concurrent request with the same key waits here until the first has ended.
            claimed = await connection.execute(
                "INSERT INTO idempotency_keys (subject, key, request_sha256, instance_id, response)"
                " VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                [subject, key, digest, instance.id, body],
            )
            if claimed.rowcount == 0:
                return await _replay(connection, subject, key, digest)
            await connection.execute(
                f"INSERT INTO instances ({_REQUESTED}) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
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
            await effects.emit(connection, "instance.requested", instance.id, _told(instance, subject))
        return Created(instance.id, body, replayed=False)

    async def delete(self, subject: str, projects: tuple[str, ...], identity: uuid.UUID) -> Instance:
        """Delete an instance of one of ``projects``. Raises ProblemError when there is none."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                "UPDATE instances SET state = 'deleted', deleted_at = now()"
                f" WHERE id = %s AND project = ANY(%s) AND deleted_at IS NULL RETURNING {_COLUMNS}",
                [identity, list(projects)],
            )
            instance = _instance(await cursor.fetchone())
            await effects.emit(connection, "instance.deleted", instance.id, _told(instance, subject))
        return instance

    async def get(self, projects: tuple[str, ...], identity: uuid.UUID) -> Instance:
        """An instance of one of ``projects``. Raises ProblemError when there is none."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                f"SELECT {_COLUMNS} FROM instances WHERE id = %s AND project = ANY(%s) AND deleted_at IS NULL",
                [identity, list(projects)],
            )
            return _instance(await cursor.fetchone())

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
                f"SELECT {_COLUMNS} FROM instances WHERE project = %(project)s AND deleted_at IS NULL {older}"
                " ORDER BY created_at DESC, id DESC LIMIT %(limit)s",
                {"project": project, "after": after, "limit": limit + 1},
            )
            rows = await cursor.fetchall()
        instances = [Instance.model_validate(row) for row in rows[:limit]]
        return instances, instances[-1].id if len(rows) > limit else None


async def _replay(connection: AsyncConnection[DictRow], subject: str, key: str, digest: str) -> Created:
    cursor = await connection.execute(
        "SELECT request_sha256, instance_id, response FROM idempotency_keys WHERE subject = %s AND key = %s",
        [subject, key],
    )
    first = await cursor.fetchone()
    if first is None:
        # It expired between the two statements, days after the request that used it.
        raise ProblemError(503, "unavailable", "Try again in a moment.", {"Retry-After": "1"})
    if first["request_sha256"] != digest:
        raise ProblemError(409, "idempotency_conflict", "This Idempotency-Key was used for another request.")
    return Created(first["instance_id"], first["response"], replayed=True)


def _told(instance: Instance, actor: str) -> dict[str, Any]:
    return {"instance": instance.model_dump(mode="json"), "actor": actor}


def _instance(row: DictRow | None) -> Instance:
    if row is None:
        raise ProblemError(404, "not_found", "There is no such instance.")
    return Instance.model_validate(row)


def _digest(project: str, request: InstanceRequest) -> str:
    # What is not asked for is left out: a request means the same to a version that does not know it.
    document = {**request.model_dump(mode="json", exclude_none=True), "project": project}
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
