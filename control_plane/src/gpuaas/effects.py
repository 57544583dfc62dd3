"""One effect each: what is done in the transaction of a change, so that a repetition does nothing.

The API, workers and their workflows write events here and nowhere else.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import DictRow

from gpuaas import tracing
from gpuaas.messaging.events import Event


async def once(connection: AsyncConnection[DictRow], consumer: str, event: Event) -> bool:
    """Whether ``consumer`` handles ``event`` for the first time; the same transaction holds the effect.

    Where two do so at once, the second waits here for the first. Raises psycopg.Error.
    """
    noted = await connection.execute(
        "INSERT INTO processed_events (consumer, event_id) VALUES (%s, %s) ON CONFLICT DO NOTHING", [consumer, event.id]
    )
    return noted.rowcount == 1


async def emit(
    connection: AsyncConnection[DictRow], event_type: str, instance_id: uuid.UUID, payload: Mapping[str, Any]
) -> None:
    """Write an event of an instance that this transaction has changed; it belongs to the current trace. Raises psycopg.Error."""
    await connection.execute(
        "INSERT INTO outbox (event_type, instance_id, payload, traceparent, tracestate) VALUES (%s, %s, %s, %s, %s)",
        [event_type, instance_id, json.dumps(payload), *_trace(instance_id)],
    )


async def emit_once(
    connection: AsyncConnection[DictRow],
    effect_key: str,
    event_type: str,
    instance_id: uuid.UUID,
    payload: Mapping[str, Any],
) -> bool:
    """Write an event unless one with ``effect_key`` is there; False says that the change was made before.

    The instance is locked first: so the ids of its events are in the order of their commits, which the relay relies on.
    A key is known for as long as the outbox keeps what was published, a week and more. Raises psycopg.Error.
    """
    await connection.execute("SELECT FROM instances WHERE id = %s FOR NO KEY UPDATE", [instance_id])
    written = await connection.execute(
        "INSERT INTO outbox (event_type, instance_id, payload, effect_key, traceparent, tracestate)"
        " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (effect_key) DO NOTHING",
        [event_type, instance_id, json.dumps(payload), effect_key, *_trace(instance_id)],
    )
    return written.rowcount == 1


def _trace(instance_id: uuid.UUID) -> list[str | None]:
    """The columns of the current trace, which is one of the instance."""
    tracing.tell({tracing.INSTANCE_ID: str(instance_id)})
    carrier = tracing.carrier()
    return [carrier.get(field) for field in tracing.FIELDS]
