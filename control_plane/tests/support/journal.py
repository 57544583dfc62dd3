"""Where a store of the journal is, and what a database and a store have of it."""

from __future__ import annotations

import uuid

import psycopg

from gpuaas.journal.chain import GENESIS, Entry, Pin, Record, following
from gpuaas.journal.journal import Journal

# Nobody looks at it but AWS.
KEY = ("journal", "no-secret")


def url_of(server: str, table: str) -> str:
    return f"dynamodb+{server}/eu-central-1/{table}"


def entries(journal: Journal, project: str = "atlas") -> list[Entry]:
    """All of a project, in order."""
    read: list[Entry] = []
    while page := journal.page(project, read[-1].number if read else 0):
        read += page
    return read


def head(database: psycopg.Connection, project: str = "atlas") -> Pin:
    """What the database knows."""
    row = database.execute("SELECT number, digest FROM journal_heads WHERE project = %s", [project]).fetchone()
    assert row is not None
    return Pin(row[0], bytes(row[1]))


def waiting(database: psycopg.Connection) -> int:
    """How many events have no entry."""
    [(count,)] = database.execute("SELECT count(*) FROM outbox WHERE journal_number IS NULL").fetchall()
    return int(count)


def chain(project: str, length: int, payload: bytes = b'{"actor":"alice"}') -> list[Entry]:
    """Entries that nobody has written."""
    entries: list[Entry] = []
    for _number in range(length):
        record = Record(project, uuid.uuid4(), "instance.requested", 1, "2026-11-30T10:00:00.000000Z", payload)
        entries.append(following(entries[-1].pin if entries else GENESIS, record))
    return entries
