"""Who was shown what the server opened, and what for: an event of the instance, and so in its timeline and in the journal."""

from __future__ import annotations

from gpuaas import effects
from gpuaas.database import Pool
from gpuaas.encryption.decryption import Opening
from gpuaas.encryption.refusal import Reason, RefusedError

OPENED = "instance.opened"
# Locked, so that the ids of its events are in the order of their commits.
_INSTANCE = """
    SELECT i.id FROM instances AS i JOIN instance_envelopes AS e ON e.instance_id = i.id
    WHERE e.project = %s AND e.event_id = %s AND i.deleted_at IS NULL FOR NO KEY UPDATE OF i
"""


class Audit:
    """Of all projects."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def keep(self, opening: Opening) -> None:
        """Returns when the event is committed. Raises psycopg.Error; RefusedError where the instance is gone."""
        async with self._pool.connection() as connection:
            row = await (await connection.execute(_INSTANCE, [opening.project, opening.event_id])).fetchone()
            if row is None:
                raise RefusedError(Reason.ENVELOPE_EVENT_ID, f"event {opening.event_id} is of no instance any more")
            told = {"actor": opening.subject, "purpose": opening.purpose, "type": opening.type}
            await effects.emit(connection, OPENED, row["id"], told)
