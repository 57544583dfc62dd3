"""The states of instances in Postgres, as workflows change them: a change and its event are one transaction, once."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

from gpuaas import effects
from gpuaas.database import Pool

ACTOR = "provisioning"
_COLUMNS = "id, project, name, gpu_type, gpu_count, wanted_gpu_count, state, created_by, created_at"


class Gone(Exception):  # noqa: N818  # what it is
    """The instance was deleted."""


@dataclass(frozen=True)
class Believed:
    """What the database has of an instance."""

    state: str
    operation: int


def is_gone(believed: Believed | None) -> bool:
    """Whether an instance was deleted, or never was."""
    return believed is None or believed.state == "deleted"


@dataclass(frozen=True)
class Move:
    """A change of state that one operation makes, from one of the states ``before``.

    Its event is named like the new state, where nothing else is said. ``gpu_count`` is the number from now on.
    """

    operation: int
    before: Sequence[str]
    after: str
    event: str = ""
    gpu_count: int | None = None


class States:
    """Raises psycopg.Error everywhere."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def move(self, instance_id: uuid.UUID, key: str, move: Move, details: Mapping[str, Any]) -> bool:
        """Move an instance, with an event that has ``details``.

        ``details`` may bring a ``message``, a sentence for the tenant, and a ``reason``. Whoever repeats it with the same
        ``key`` changes nothing. False when it is in another state, or in the hands of another operation, so that there is
        nothing to do. Raises Gone.
        """
        async with self._pool.connection() as connection:
            cursor = await connection.execute(
                f"SELECT {_COLUMNS}, operation FROM instances WHERE id = %s FOR NO KEY UPDATE", [instance_id]
            )
            row = await cursor.fetchone()
            if row is None or row["state"] == "deleted":
                raise Gone
            if row.pop("operation") != move.operation:
                return False
            if row["state"] == move.after:
                return True
            if row["state"] not in move.before:
                return False
            changed = {"state": move.after, "gpu_count": move.gpu_count or row["gpu_count"], "wanted_gpu_count": None}
            await connection.execute(
                "UPDATE instances SET state = %s, gpu_count = %s, wanted_gpu_count = %s, reason = %s WHERE id = %s",
                [*changed.values(), details.get("reason"), instance_id],
            )
            await effects.emit_once(
                connection, key, f"instance.{move.event or move.after}", instance_id, _told({**row, **changed}, details)
            )
        return True

    async def is_gone(self, instance_id: uuid.UUID) -> bool:
        """Whether an instance was deleted, or never was."""
        return is_gone(await self.one(instance_id))

    async def one(self, instance_id: uuid.UUID) -> Believed | None:
        """What there is of an instance."""
        return (await self.of([instance_id])).get(instance_id)

    async def of(self, instances: Collection[uuid.UUID]) -> dict[uuid.UUID, Believed]:
        """What there is of each of these, where it is there."""
        return await self._believed("id = ANY(%s)", list(instances))

    async def running(self) -> dict[uuid.UUID, Believed]:
        """Every instance that runs, as the database has it."""
        return await self._believed("state = %s", "running")

    async def tell(self, instance_id: uuid.UUID, key: str, what: str, details: Mapping[str, Any]) -> None:
        """Write an event of an instance that stays as it is, once for each ``key``."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(f"SELECT {_COLUMNS} FROM instances WHERE id = %s", [instance_id])
            if row := await cursor.fetchone():
                await effects.emit_once(connection, key, f"instance.{what}", instance_id, _told(row, details))

    async def _believed(self, which: LiteralString, value: object) -> dict[uuid.UUID, Believed]:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(f"SELECT id, state, operation FROM instances WHERE {which}", [value])
            return {row["id"]: Believed(row["state"], row["operation"]) for row in await cursor.fetchall()}


def _told(row: Mapping[str, Any], details: Mapping[str, Any]) -> dict[str, Any]:
    instance = {**row, "id": str(row["id"]), "created_at": row["created_at"].isoformat()}
    return {"instance": instance, "actor": ACTOR, **details}
