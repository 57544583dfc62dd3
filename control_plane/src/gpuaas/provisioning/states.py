"""The states of instances in Postgres, as workflows change them: a change and its event are one transaction, once."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Any, LiteralString

from gpuaas import effects
from gpuaas.database import Pool

ACTOR = "provisioning"
_COLUMNS = "id, project, name, gpu_type, gpu_count, state, created_by, created_at"


class Gone(Exception):  # noqa: N818  # what it is
    """The instance was deleted."""


class States:
    """Raises psycopg.Error everywhere."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def move(
        self, instance_id: uuid.UUID, key: str, before: Sequence[str], after: str, details: Mapping[str, Any]
    ) -> bool:
        """Move an instance from one of the states ``before`` to ``after``, with an event that has ``details``.

        ``details`` may bring a ``message``, a sentence for the tenant, and a ``reason``. Whoever repeats it with the same
        ``key`` changes nothing. False when it is in another state, so that there is
        nothing to do. Raises Gone.
        """
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                f"SELECT {_COLUMNS} FROM instances WHERE id = %s FOR NO KEY UPDATE", [instance_id]
            )
            row = await cursor.fetchone()
            if row is None or row["state"] == "deleted":
                raise Gone
            if row["state"] == after:
                return True
            if row["state"] not in before:
                return False
            await connection.execute(
                "UPDATE instances SET state = %s, reason = %s WHERE id = %s",
                [after, details.get("reason"), instance_id],
            )
            await effects.emit_once(
                connection, key, f"instance.{after}", instance_id, _told({**row, "state": after}, details)
            )
        return True

    async def is_gone(self, instance_id: uuid.UUID) -> bool:
        """Whether an instance was deleted, or never was."""
        return await self.of([instance_id]) in ({}, {instance_id: "deleted"})

    async def of(self, instances: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
        """The state of each of these, where it is there."""
        return await self._states("id = ANY(%s)", list(instances))

    async def running(self) -> dict[uuid.UUID, str]:
        """Every instance that runs, as the database has it."""
        return await self._states("state = %s", "running")

    async def tell(self, instance_id: uuid.UUID, key: str, what: str, details: Mapping[str, Any]) -> None:
        """Write an event of an instance that stays as it is, once for each ``key``."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(f"SELECT {_COLUMNS} FROM instances WHERE id = %s", [instance_id])
            if row := await cursor.fetchone():
                await effects.emit_once(connection, key, f"instance.{what}", instance_id, _told(row, details))

    async def _states(self, which: LiteralString, value: object) -> dict[uuid.UUID, str]:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(f"SELECT id, state FROM instances WHERE {which}", [value])
            return {row["id"]: row["state"] for row in await cursor.fetchall()}


def _told(row: Mapping[str, Any], details: Mapping[str, Any]) -> dict[str, Any]:
    instance = {**row, "id": str(row["id"]), "created_at": row["created_at"].isoformat()}
    return {"instance": instance, "actor": ACTOR, **details}
