"""What the database knows of the journal: events that are not in it yet, and how far each project's chain is.

A row is selected because it has no entry, never because of a place in the sequence, as the relay does and for its reason.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import AsyncConnection
from psycopg.rows import DictRow

from gpuaas.journal.chain import Entry, Pin, Record, written
from gpuaas.journal.reasons import JournalError, Reason
from gpuaas.messaging.events import VERSION, Event

_RECORD = """
    SELECT o.event_id, o.event_type, o.instance_id, o.created_at, o.payload, o.journal_number, o.journal_previous, i.project
    FROM outbox AS o JOIN instances AS i ON i.id = o.instance_id
"""
# The ids of an instance's events are in the order of their commits, and one look sees the earlier of two that it sees.
_WAITING = f"{_RECORD} WHERE o.journal_number IS NULL AND i.project <> ALL(%s) ORDER BY o.id LIMIT %s"
_HEADS = "SELECT project, number, digest, start_number, start_digest FROM journal_heads"
_LAG = """
    SELECT count(*) AS waiting, min(created_at) AS oldest, coalesce(extract(epoch FROM now() - min(created_at)), 0)::float AS seconds
    FROM outbox WHERE journal_number IS NULL
"""


@dataclass(frozen=True, slots=True)
class Chain:
    """A project's chain as the database knows it: its newest entry, and where a reader begins."""

    project: str
    head: Pin
    start: Pin


@dataclass(frozen=True, slots=True)
class Lag:
    """How many events have no entry, when the oldest of them happened, and how long that is ago by the database's clock."""

    waiting: int
    oldest: datetime | None
    seconds: float


async def waiting(connection: AsyncConnection[DictRow], limit: int, without: Collection[str]) -> list[Record]:
    """The oldest events that have no entry, but for those of some projects. Raises psycopg.Error."""
    cursor = await connection.execute(_WAITING, [list(without), limit])
    return [_record(row) for row in await cursor.fetchall()]


async def known(connection: AsyncConnection[DictRow], event_id: uuid.UUID) -> tuple[Record, int | None] | None:
    """An event and the number of its entry, or None where there is no such event any more. Raises psycopg.Error."""
    row = await (await connection.execute(f"{_RECORD} WHERE o.event_id = %s", [event_id])).fetchone()
    return (_record(row), row["journal_number"]) if row else None


async def begin(connection: AsyncConnection[DictRow], projects: Iterable[str]) -> None:
    """Have a chain for each. Raises psycopg.Error."""
    await connection.execute(
        "INSERT INTO journal_heads (project, number, digest)"
        " SELECT project, 0, decode(repeat('00', 32), 'hex') FROM unnest(%s::text[]) AS project ON CONFLICT DO NOTHING",
        [sorted(projects)],
    )


async def chains(connection: AsyncConnection[DictRow]) -> dict[str, Chain]:
    """Every chain, by project. Raises psycopg.Error."""
    rows = await (await connection.execute(f"{_HEADS} ORDER BY project")).fetchall()
    return {
        row["project"]: Chain(
            row["project"], Pin(row["number"], row["digest"]), Pin(row["start_number"], row["start_digest"])
        )
        for row in rows
    }


async def note(connection: AsyncConnection[DictRow], before: Pin, entries: Sequence[Entry]) -> bool:
    """Note that these follow ``before`` in the journal; False says that somebody noted something after it already.

    Raises psycopg.Error, and JournalError where one of their events has an entry already.
    """
    head = entries[-1]
    moved = await connection.execute(
        "UPDATE journal_heads SET number = %s, digest = %s WHERE project = %s AND number = %s AND digest = %s",
        [head.number, head.digest, head.record.project, before.number, before.digest],
    )
    if moved.rowcount == 0:
        return False
    noted = await connection.execute(
        "UPDATE outbox SET journal_number = its.number, journal_previous = its.previous"
        " FROM unnest(%s::uuid[], %s::bigint[], %s::bytea[]) AS its (event_id, number, previous)"
        " WHERE outbox.event_id = its.event_id AND outbox.journal_number IS NULL",
        [
            [entry.record.event_id for entry in entries],
            [entry.number for entry in entries],
            [entry.previous for entry in entries],
        ],
    )
    if noted.rowcount != len(entries):
        raise JournalError(
            Reason.FOREIGN, f"entries up to {head.number} of project {head.record.project}: an event has one already"
        )
    return True


async def kept(connection: AsyncConnection[DictRow], project: str) -> list[tuple[Record, int, bytes]]:
    """The events of a project that have an entry and have not expired, by number: with that, and its previous digest."""
    cursor = await connection.execute(
        f"{_RECORD} WHERE o.journal_number IS NOT NULL AND i.project = %s ORDER BY o.journal_number", [project]
    )
    return [(_record(row), row["journal_number"], row["journal_previous"]) for row in await cursor.fetchall()]


async def start_after(connection: AsyncConnection[DictRow], project: str, pin: Pin) -> None:
    """Say that what comes up to ``pin`` is lost: a reader begins after it. Raises psycopg.Error."""
    await connection.execute(
        "UPDATE journal_heads SET start_number = %s, start_digest = %s WHERE project = %s",
        [pin.number, pin.digest, project],
    )


async def lag(connection: AsyncConnection[DictRow]) -> Lag:
    """What is not in the journal yet. Raises psycopg.Error."""
    row = await (await connection.execute(_LAG)).fetchone()
    assert row is not None  # an aggregate has a row
    return Lag(row["waiting"], row["oldest"], row["seconds"])


def _record(row: DictRow) -> Record:
    event = Event(row["event_id"], row["event_type"], row["instance_id"], row["created_at"], row["payload"])
    return Record(
        project=row["project"],
        event_id=event.id,
        type=event.type,
        schema_version=VERSION,
        time=written(event.time),
        payload=event.body,
    )
