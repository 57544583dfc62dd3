"""What is private of a project's instances, as a reader is sent it: opened where the security mode lets it, else sealed."""

from __future__ import annotations

import uuid
from typing import Any

from gpuaas.api.dashboard.models import Sealed, SealedList
from gpuaas.api.problems import ProblemError
from gpuaas.database import Pool
from gpuaas.encryption import dashboard, instance, store
from gpuaas.encryption.decryption import Caller, DecryptionContext, Envelope
from gpuaas.encryption.security import SecurityMode
from gpuaas.encryption.tenant import Expected

# Each has up to 96 KiB.
MOST = 10
_NO_PURPOSE = ""
_COLUMNS = "SELECT i.id, i.project, i.name, e.envelope FROM instance_envelopes AS e JOIN instances AS i ON i.id = e.instance_id"
_NEWEST = f"""
    {_COLUMNS} WHERE i.project = %s AND i.deleted_at IS NULL ORDER BY i.created_at DESC, i.id DESC LIMIT %s
"""
_ONE = f"{_COLUMNS} WHERE i.project = ANY(%s) AND i.id = %s AND i.deleted_at IS NULL"


class Envelopes:
    """Those of all projects of an environment."""

    def __init__(self, pool: Pool, mode: SecurityMode, environment: str, context: DecryptionContext) -> None:
        self._pool = pool
        self._mode = mode
        self._environment = environment
        self._context = context

    async def of(self, caller: Caller, project: str) -> SealedList:
        """The newest; nobody said what for. Raises psycopg.Error."""
        return SealedList(project=project, items=await self._found(_NEWEST, [project, MOST], caller, _NO_PURPOSE))

    async def one(self, caller: Caller, instance_id: uuid.UUID, purpose: str) -> Sealed:
        """That of an instance, for a purpose. Raises ProblemError and psycopg.Error."""
        for found in await self._found(_ONE, [list(caller.projects), instance_id], caller, purpose):
            return found
        raise ProblemError(404, "not_found", "There is no such instance, or nothing private of it.")

    async def _found(self, query: str, values: list[Any], caller: Caller, purpose: str) -> list[Sealed]:
        """All are of one project."""
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(query, values)).fetchall()
            chain = await store.chain(connection, self._environment, rows[0]["project"]) if rows else None
        shown = []
        for row in rows:
            assert chain is not None
            binding = instance.binding(self._environment, row["project"], row["id"], row["name"])
            # It was of the newest epoch when it was stored, and stays readable.
            envelope = Envelope(row["envelope"], Expected(binding, oldest_epoch=1), chain)
            opened = await self._context.open(envelope, caller, purpose)
            content = dashboard.shown(envelope, opened, self._mode)
            shown.append(Sealed(instance_id=row["id"], name=row["name"], content=content))
        return shown
