"""What of an instance is for the members of its project alone. The platform keeps it sealed, and has no key to it."""

from __future__ import annotations

import uuid

from psycopg import AsyncConnection
from psycopg.rows import DictRow

from gpuaas.api.models import Instance, Private
from gpuaas.encryption import instance as instances
from gpuaas.encryption import store
from gpuaas.encryption.refusal import Reason, RefusedError
from gpuaas.encryption.tenant import Expected


async def keep(connection: AsyncConnection[DictRow], environment: str, instance: Instance, private: Private) -> None:
    """Keep what a member of the newest epoch sealed for this very instance. Raises RefusedError."""
    binding = instances.binding(environment, instance.project, instance.id, instance.name)
    await store.accept(connection, private.envelope, Expected(binding))
    kept = await connection.execute(
        "INSERT INTO instance_envelopes (instance_id, project, event_id, envelope) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        [instance.id, instance.project, binding.event_id, private.envelope],
    )
    if kept.rowcount == 0:
        raise RefusedError(Reason.ENVELOPE_REPLAYED, f"instance {instance.id} has something private already")


async def of(connection: AsyncConnection[DictRow], instance_id: uuid.UUID) -> Private | None:
    """What was kept of an instance."""
    rows = await connection.execute(
        "SELECT instance_id, envelope FROM instance_envelopes WHERE instance_id = %s", [instance_id]
    )
    row = await rows.fetchone()
    return None if row is None else Private.model_validate(row)
