"""What is private of a project's instances, as a dashboard is sent it: opened where the security mode lets it, else sealed."""

from __future__ import annotations

from gpuaas.api.dashboard.models import Sealed, SealedList
from gpuaas.api.private import TYPE, VERSION
from gpuaas.database import Pool
from gpuaas.encryption import dashboard, store
from gpuaas.encryption.binding import Binding, DataClass
from gpuaas.encryption.decryption import Caller, DecryptionContext, Envelope
from gpuaas.encryption.security import SecurityMode
from gpuaas.encryption.tenant import Expected

# Each has up to 96 KiB.
MOST = 10
_NO_PURPOSE = ""
_NEWEST = """
    SELECT i.id, i.name, e.event_id, e.envelope FROM instance_envelopes AS e JOIN instances AS i ON i.id = e.instance_id
    WHERE i.project = %s AND i.deleted_at IS NULL ORDER BY i.created_at DESC, i.id DESC LIMIT %s
"""


class Envelopes:
    """Those of all projects of an environment."""

    def __init__(self, pool: Pool, mode: SecurityMode, environment: str, context: DecryptionContext) -> None:
        self._pool = pool
        self._mode = mode
        self._environment = environment
        self._context = context

    async def of(self, caller: Caller, project: str) -> SealedList:
        """The newest. Raises psycopg.Error."""
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(_NEWEST, [project, MOST])).fetchall()
            chain = await store.chain(connection, self._environment, project) if rows else None
        items = []
        for row in rows:
            assert chain is not None
            binding = Binding(self._environment, DataClass.TENANT, project, str(row["event_id"]), TYPE, VERSION)
            # It was of the newest epoch when it was stored, and stays readable.
            envelope = Envelope(row["envelope"], Expected(binding, oldest_epoch=1), chain)
            opened = await self._context.open(envelope, caller, _NO_PURPOSE)
            content = dashboard.shown(envelope, opened, self._mode)
            items.append(Sealed(instance_id=row["id"], name=row["name"], content=content))
        return SealedList(project=project, items=items)
