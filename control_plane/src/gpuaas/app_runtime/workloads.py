"""Workloads in Postgres: what an event intends and what was seen, each in one transaction with what tells of it, once."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import DictRow

from gpuaas import effects
from gpuaas.app_runtime.steps import Believed, State, intended
from gpuaas.database import Pool
from gpuaas.messaging.events import Event
from gpuaas.messaging.poison import Poison

NAME = "app-runtime"
_COLUMNS = "id, state, workload, workload_state, workload_turn, workload_crashes"
# As in the index of them.
_OPEN = "workload IS NOT NULL AND (state = 'running' OR workload_state <> 'removed')"


class Workloads:
    """Raises psycopg.Error everywhere."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def open(self) -> list[Believed]:
        """Every workload that is there, or has to be."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(f"SELECT {_COLUMNS} FROM instances WHERE {_OPEN} ORDER BY id")
            return [_believed(row) for row in await cursor.fetchall()]

    async def handle(self, event: Event) -> bool:
        """What happened to an instance decides about its workload, once; whether something is to be done now.

        Raises Poison for an instance that is not there.
        """
        async with self._pool.connection() as connection:
            if not await effects.once(connection, NAME, event):
                return False
            if (row := await _locked(connection, event.instance_id)) is None:
                raise Poison("unknown_instance", str(event.instance_id))
            return await _intend(connection, row)

    async def intend(self, instance_id: uuid.UUID) -> None:
        """The same without an event: for one that was missed."""
        async with self._pool.connection() as connection:
            if row := await _locked(connection, instance_id):
                await _intend(connection, row)

    async def move(self, its: Believed, after: State, told: Mapping[str, Any] | None = None, crashes: int = 0) -> bool:
        """Move a workload on, with its event where there is something to tell; False when somebody else has."""
        async with self._pool.connection() as connection:
            row = await _locked(connection, its.instance_id)
            if row is None or row["workload_turn"] != its.turn:
                return False
            await _move(connection, its, after, its.crashes + crashes)
            if told is not None:
                key = f"{its.instance_id}:workload:{its.turn}"
                kind = f"instance.workload.{after}"
                await effects.emit_once(connection, key, kind, its.instance_id, {"actor": NAME, **told})
        return True


async def _locked(connection: AsyncConnection[DictRow], instance_id: uuid.UUID) -> DictRow | None:
    """Whoever changes an instance has its row: so its events have their ids in the order of their commits."""
    cursor = await connection.execute(
        f"SELECT {_COLUMNS} FROM instances WHERE id = %s FOR NO KEY UPDATE", [instance_id]
    )
    return await cursor.fetchone()


async def _intend(connection: AsyncConnection[DictRow], row: DictRow) -> bool:
    its = _believed(row)
    if not its.workload or not (after := intended(its)):
        return False
    await _move(connection, its, after, 0 if after is State.PENDING else its.crashes)
    return True


async def _move(connection: AsyncConnection[DictRow], its: Believed, after: State, crashes: int) -> None:
    await connection.execute(
        "UPDATE instances SET workload_state = %s, workload_turn = workload_turn + 1, workload_crashes = %s WHERE id = %s",
        [after, crashes, its.instance_id],
    )


def _believed(row: DictRow) -> Believed:
    return Believed(
        row["id"],
        row["state"] == "running",
        row["workload"] or "",
        State(row["workload_state"]) if row["workload_state"] else None,
        row["workload_turn"],
        row["workload_crashes"],
    )
