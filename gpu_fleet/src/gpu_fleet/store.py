"""SQLite on the volume: what is committed is on the disk, and one process has it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Generator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

# Each adds to those before it; a store of an earlier version gets what it lacks.
SCHEMAS = ("schema.sql", "replacements.sql", "workloads.sql")


class StoreError(Exception):
    """A store that cannot be used; one line."""


class Store:
    """One connection, used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Open it, and make it where there is none. Raises StoreError."""
        self._lock = threading.RLock()
        try:
            self._connection = sqlite3.connect(path, timeout=0, autocommit=True, check_same_thread=False)
            self._prepare()
        except sqlite3.Error as error:
            raise StoreError(f"{path}: {error}") from None

    def close(self) -> None:
        """Leave it."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Connection]:
        """All of it or, when an exception leaves it, nothing; what was written is on the disk when it ends."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                # A full disk has rolled it back already (https://sqlite.org/lang_transaction.html, 2.5).
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _prepare(self) -> None:
        self._connection.row_factory = sqlite3.Row
        # A second process finds it locked (https://sqlite.org/pragma.html#pragma_locking_mode).
        self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._connection.execute("PRAGMA journal_mode = WAL")
        # In WAL mode only FULL syncs each commit (https://sqlite.org/pragma.html#pragma_synchronous).
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        with self.transaction() as db:
            found = db.execute("PRAGMA user_version").fetchone()[0]
            if found > len(SCHEMAS):
                raise sqlite3.DatabaseError(f"has schema {found}, and this program knows {len(SCHEMAS)}")
            for name in SCHEMAS[found:]:
                for statement in (files("gpu_fleet") / name).read_text(encoding="utf-8").split(";\n"):
                    db.execute(statement)
            db.execute(f"PRAGMA user_version = {len(SCHEMAS)}")
