"""The outbox in Postgres, as its relays see it.

A row is selected because it is unpublished, never because of a place in the
sequence: ids are handed out before a transaction commits, so a cursor over them
passes rows that are not visible yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import AsyncConnection
from psycopg.rows import DictRow

from gpuaas.messaging.events import Event

# Of each instance only the first: the next one is claimed once it is published, by whichever relay. A change of an
# instance holds its row, so two of its events never have their ids in another order than that of their commits.
_CLAIM = """
    SELECT o.id, o.event_id, o.event_type, o.instance_id, o.created_at, o.payload
    FROM outbox AS o
    WHERE o.published_at IS NULL
      AND NOT EXISTS (
        SELECT FROM outbox AS earlier
        WHERE earlier.instance_id = o.instance_id AND earlier.published_at IS NULL AND earlier.id < o.id)
    ORDER BY o.id
    LIMIT %s
    FOR UPDATE OF o SKIP LOCKED
"""
_LAG = """
    SELECT count(*) AS waiting, coalesce(extract(epoch FROM now() - min(created_at)), 0)::float AS oldest_seconds
    FROM outbox WHERE published_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A claimed row, locked until the transaction ends."""

    id: int
    event: Event


async def claim(connection: AsyncConnection[DictRow], limit: int) -> list[Row]:
    """Lock at most ``limit`` rows that nobody publishes at the moment. Raises psycopg.Error."""
    cursor = await connection.execute(_CLAIM, [limit])
    return [
        Row(row["id"], Event(row["event_id"], row["event_type"], row["instance_id"], row["created_at"], row["payload"]))
        for row in await cursor.fetchall()
    ]


async def published(connection: AsyncConnection[DictRow], ids: Sequence[int]) -> None:
    """Note that these are in the stream. Raises psycopg.Error."""
    await connection.execute("UPDATE outbox SET published_at = now() WHERE id = ANY(%s)", [list(ids)])


async def lag(connection: AsyncConnection[DictRow]) -> tuple[int, float]:
    """How many rows wait, and for how many seconds the oldest of them. Raises psycopg.Error."""
    row = await (await connection.execute(_LAG)).fetchone()
    assert row is not None  # an aggregate has a row
    return row["waiting"], row["oldest_seconds"]
