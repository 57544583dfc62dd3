"""The journal in a file of this machine, where there is no server: for a laptop without Docker, and nowhere else."""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from gpuaas.journal.chain import Entry, Record
from gpuaas.journal.journal import PAGE
from gpuaas.journal.reasons import JournalError, Reason

BUSY_SECONDS = 2.0
_TABLE = """
    CREATE TABLE IF NOT EXISTS entries (
        project TEXT NOT NULL, number INTEGER NOT NULL, event_id TEXT NOT NULL, type TEXT NOT NULL,
        schema_version INTEGER NOT NULL, time TEXT NOT NULL, payload BLOB NOT NULL, previous BLOB NOT NULL,
        digest BLOB NOT NULL, PRIMARY KEY (project, number)) WITHOUT ROWID, STRICT
"""
_COLUMNS = "project, event_id, type, schema_version, time, payload, number, previous, digest"


class SQLiteJournal:
    """A file that its owner alone reads. An entry is on the disk when it is acknowledged."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def prepare(self) -> None:
        if not self._path.exists():
            try:
                os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
            except OSError as error:
                raise JournalError(Reason.UNREACHABLE, f"{self._path}: {os.strerror(error.errno or 0)}") from None
        with self._connection() as connection:
            connection.execute(_TABLE)

    def append(self, entry: Entry) -> bool:
        record = entry.record
        values = [
            *(record.project, str(record.event_id), record.type, record.schema_version, record.time, record.payload),
            *(entry.number, entry.previous, entry.digest),
        ]
        with self._connection() as connection:
            written = connection.execute(
                f"INSERT INTO entries ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", values
            )
            return written.rowcount == 1

    def page(self, project: str, after: int, limit: int = PAGE) -> list[Entry]:
        return self._select("project = ? AND number > ? ORDER BY number LIMIT ?", [project, after, limit])

    def head(self, project: str) -> Entry | None:
        newest = self._select("project = ? ORDER BY number DESC LIMIT 1", [project])
        return newest[0] if newest else None

    def close(self) -> None:
        """Each question has a connection of its own."""

    def _select(self, which: str, values: list[object]) -> list[Entry]:
        with self._connection() as connection:
            return [_entry(row) for row in connection.execute(f"SELECT {_COLUMNS} FROM entries WHERE {which}", values)]

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        if not self._path.exists():
            raise JournalError(Reason.TABLE_MISSING, f"there is no {self._path}")
        try:
            with closing(sqlite3.connect(self._path, timeout=BUSY_SECONDS)) as connection:
                connection.execute("PRAGMA synchronous = FULL")
                with connection:
                    yield connection
        except sqlite3.OperationalError as error:
            reason = Reason.TABLE_MISSING if "no such table" in str(error) else Reason.UNREACHABLE
            raise JournalError(reason, f"{self._path}: {error}") from None
        except sqlite3.DatabaseError as error:
            raise JournalError(Reason.REFUSED, f"{self._path}: {error}") from None


def _entry(row: tuple[str, str, str, int, str, bytes, int, bytes, bytes]) -> Entry:
    project, event_id, kind, version, time, payload, number, previous, digest = row
    return Entry(Record(project, uuid.UUID(event_id), kind, version, time, payload), number, previous, digest)
