"""The timeline in Postgres, as its one writer sees it."""

from __future__ import annotations

import json

from psycopg import AsyncConnection
from psycopg.rows import DictRow

from gpuaas.effects import once
from gpuaas.messaging.events import Event
from gpuaas.messaging.poison import Poison
from gpuaas.notification.sentences import sentence

CONSUMER = "notification"
# It wakes whoever follows the timeline; that is a hint, the rows are what counts.
CHANNEL = "timeline"
# The position is taken last, so that the others who write wait for as short as can be; it is held until the commit.
_RECORD = """
    WITH taken AS (UPDATE timeline_position SET last = last + 1 RETURNING last)
    INSERT INTO timeline (position, event_id, instance_id, project, type, time, actor, sentence, details)
    SELECT taken.last, %s, %s, %s, %s, %s, %s, %s, %s FROM taken
"""


async def record(connection: AsyncConnection[DictRow], event: Event) -> bool:
    """Write an event down, unless that was done; returns whether it was done now.

    Raises Poison for an instance that there is not, and psycopg.Error.
    """
    if not await once(connection, CONSUMER, event):
        return False
    found = await connection.execute("SELECT project FROM instances WHERE id = %s", [event.instance_id])
    if not (instance := await found.fetchone()):
        raise Poison("unknown_instance", str(event.instance_id))
    actor = event.data.get("actor")
    details = {name: value for name, value in event.data.items() if name not in ("actor", "message")}
    values = [
        event.id,
        event.instance_id,
        instance["project"],
        event.type,
        event.time,
        actor if isinstance(actor, str) else "",
        sentence(event),
        json.dumps(details),
    ]
    await connection.execute(_RECORD, values)
    return True
