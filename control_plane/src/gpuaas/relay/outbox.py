"""The outbox in Postgres, as its relays see it.

A row is selected because it is unpublished, never because of a place in the
sequence: ids are handed out before a transaction commits, so a cursor over them
passes rows that are not visible yet.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import AsyncConnection
from psycopg.rows import DictRow

from gpuaas import tracing
from gpuaas.messaging.events import Event

# Relays share it; who has everything published again has it alone.
LOCK = 0x67707863  # "gpxc": any number, as long as it is always the same
# An event that waits for longer than this does not wait for its turn.
LATE_SECONDS = 30.0

# Of each instance only the first: the next one is claimed once it is published, by whichever relay. A change of an
# instance holds its row, so two of its events never have their ids in another order than that of their commits.
_CLAIM = """
    SELECT o.id, o.event_id, o.event_type, o.instance_id, o.created_at, o.payload, o.publication,
           o.traceparent, o.tracestate
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
    """A claimed row, locked until the transaction ends. ``trace`` is what its message carries on."""

    id: int
    event: Event
    publication: uuid.UUID | None
    trace: dict[str, str]

    @property
    def message_id(self) -> str:
        """By which JetStream drops a repetition for two minutes: of this publication, so that it takes the next one."""
        return f"{self.event.id}:{self.publication}" if self.publication else str(self.event.id)


async def claim(connection: AsyncConnection[DictRow], limit: int) -> list[Row]:
    """Lock at most ``limit`` rows that nobody publishes at the moment. Raises psycopg.Error."""
    await connection.execute("SELECT pg_advisory_xact_lock_shared(%s)", [LOCK])
    cursor = await connection.execute(_CLAIM, [limit])
    return [
        Row(
            row["id"],
            Event(row["event_id"], row["event_type"], row["instance_id"], row["created_at"], row["payload"]),
            row["publication"],
            {field: row[field] for field in tracing.FIELDS if row[field]},
        )
        for row in await cursor.fetchall()
    ]


async def published(connection: AsyncConnection[DictRow], ids: Sequence[int]) -> None:
    """Note that these are in the stream. Raises psycopg.Error."""
    await connection.execute("UPDATE outbox SET published_at = now() WHERE id = ANY(%s)", [list(ids)])


async def unpublish(connection: AsyncConnection[DictRow]) -> int:
    """Have everything published again, in order, for a stream that has lost it; returns how many rows that is.

    No relay has rows meanwhile, so none publishes what is new of an instance before what is old. Raises psycopg.Error.
    """
    await connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    await connection.execute("SET LOCAL statement_timeout = 0")  # so many rows as a week has
    again = "UPDATE outbox SET published_at = NULL, publication = gen_random_uuid() WHERE published_at IS NOT NULL"
    return (await connection.execute(again)).rowcount


async def last(connection: AsyncConnection[DictRow]) -> int:
    """The newest id that can be seen. Raises psycopg.Error."""
    row = await (await connection.execute("SELECT coalesce(max(id), 0) AS id FROM outbox")).fetchone()
    assert row is not None  # an aggregate has a row
    return int(row["id"])


async def waits(connection: AsyncConnection[DictRow], until: int) -> bool:
    """Whether something up to this id is not published. Raises psycopg.Error."""
    found = await connection.execute("SELECT FROM outbox WHERE published_at IS NULL AND id <= %s LIMIT 1", [until])
    return found.rowcount > 0


async def lag(connection: AsyncConnection[DictRow]) -> tuple[int, float]:
    """How many rows wait, and for how many seconds the oldest of them. Raises psycopg.Error."""
    row = await (await connection.execute(_LAG)).fetchone()
    assert row is not None  # an aggregate has a row
    return row["waiting"], row["oldest_seconds"]
