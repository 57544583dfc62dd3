"""Brings the database to the schema of this version, then ends.

A runner of our own, of one page: yoyo and alembic bring a plugin system and an
ORM for what is here one lock, one table and a list of SQL files.

Concurrent runs wait for each other on an advisory lock. Each file is one
transaction together with its row in ``schema_version``, so that a crash leaves
a version that is complete. A file that was applied may not change any more.

Who waits for a lock on a table makes everybody wait who comes after, so no file
waits for long: it lets go, and tries again a moment later.
"""

from __future__ import annotations

import hashlib
import logging
import re
import time
from dataclasses import dataclass
from importlib import resources

import psycopg
from psycopg import Connection
from psycopg.errors import LockNotAvailable

from gpuaas import database, logs
from gpuaas.settings import MigrateSecrets, MigrateSettings

EX_UNAVAILABLE = 69  # sysexits.h
CONNECT_DEADLINE_SECONDS = 60.0
FIRST_RETRY_SECONDS = 0.05
LAST_RETRY_SECONDS = 0.5
LOCK_TIMEOUT_MS = 2000
LOCK_ATTEMPTS = 20
LOCK = 0x67707561  # "gpua": any number, as long as it is always the same
_FILE = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")
_log = logging.getLogger(__name__)


class MigrationError(Exception):
    """The database and this version do not belong together."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered SQL file."""

    version: int
    name: str
    sql: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.sql).hexdigest()


def load() -> list[Migration]:
    """The migrations of this package, by number, without gaps.

    Raises MigrationError.
    """
    found = []
    for entry in resources.files("gpuaas.migrations").iterdir():
        if match := _FILE.fullmatch(entry.name):
            found.append(Migration(int(match[1]), entry.name, entry.read_bytes()))
    found.sort(key=lambda migration: migration.version)
    if [migration.version for migration in found] != list(range(1, len(found) + 1)):
        raise MigrationError("migration files are not numbered 1, 2, 3 ...")
    return found


def expected_version() -> int:
    """The schema version that this package's code was written for."""
    return len(load())


def run(settings: MigrateSettings, secrets: MigrateSecrets, deadline_seconds: float = CONNECT_DEADLINE_SECONDS) -> int:
    """Connect, migrate, report; returns the exit status."""
    logs.configure(settings.log_level)
    started = time.monotonic()
    try:
        connection = _connect(settings, secrets, started + deadline_seconds)
    except psycopg.OperationalError as error:
        _log.error(
            "database is not reachable",
            extra={
                "fields": {"waited_seconds": round(time.monotonic() - started, 1), "last_error": str(error).strip()}
            },
        )
        return EX_UNAVAILABLE
    try:
        with connection:
            before, after = apply(connection, load())
    except (psycopg.Error, MigrationError) as error:
        _log.error("migration failed; nothing of it was kept", extra={"fields": {"cause": str(error).strip()}})
        return 1
    _log.info("schema is current", extra={"fields": {"from": before, "to": after}})
    return 0


def apply(connection: Connection, migrations: list[Migration]) -> tuple[int, int]:
    """Apply what is missing; returns the version before and after.

    Raises MigrationError and psycopg.Error.
    """
    connection.autocommit = True
    # The lock belongs to the session: it goes when the process does, however it ends.
    connection.execute("SELECT pg_advisory_lock(%s)", [LOCK])
    try:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS schema_version ("
            " version integer PRIMARY KEY, name text NOT NULL, sha256 text NOT NULL,"
            " applied_at timestamptz NOT NULL DEFAULT now())"
        )
        rows = connection.execute("SELECT version, sha256 FROM schema_version ORDER BY version")
        applied = {int(version): str(sha256) for version, sha256 in rows}
        _check(applied, migrations)
        before = len(applied)
        for migration in migrations[before:]:
            _apply_one(connection, migration)
            _log.info("migration applied", extra={"fields": {"migration": migration.name}})
        _grant(connection)
        return before, len(migrations)
    finally:
        connection.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def _apply_one(connection: Connection, migration: Migration) -> None:
    for attempt in range(LOCK_ATTEMPTS):
        try:
            with connection.transaction():
                connection.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
                connection.execute(migration.sql)
                connection.execute(
                    "INSERT INTO schema_version (version, name, sha256) VALUES (%s, %s, %s)",
                    [migration.version, migration.name, migration.sha256],
                )
            return
        except LockNotAvailable:
            if attempt == LOCK_ATTEMPTS - 1:
                raise
            _log.info("a table is in use; trying again", extra={"fields": {"migration": migration.name}})
        time.sleep(LAST_RETRY_SECONDS)


def _grant(connection: Connection) -> None:
    """Give the roles that there are what the schema says of them; one that is made later has it from Postgres' start."""
    if connection.execute("SELECT to_regclass('role_rights')").fetchone() == (None,):
        return
    statements = connection.execute(
        "SELECT format('GRANT %s ON %s TO %I', privilege, relation::regclass, role)"
        " FROM role_rights JOIN pg_roles ON rolname = role"
    ).fetchall()
    with connection.transaction():
        for (statement,) in statements:
            connection.execute(statement)


def _check(applied: dict[int, str], migrations: list[Migration]) -> None:
    if sorted(applied) != list(range(1, len(applied) + 1)):
        raise MigrationError("schema_version has gaps")
    if len(applied) > len(migrations):
        raise MigrationError(
            f"database is at version {len(applied)}, this image knows {len(migrations)}: image too old"
        )
    for migration in migrations[: len(applied)]:
        if applied[migration.version] != migration.sha256:
            raise MigrationError(f"{migration.name} differs from what was applied: write a new migration instead")


def _connect(settings: MigrateSettings, secrets: MigrateSecrets, deadline: float) -> Connection:
    """Retry until ``deadline``: the job starts together with the database."""
    delay = FIRST_RETRY_SECONDS
    while True:
        try:
            return psycopg.connect(**database.parameters(settings, secrets.database_password))
        except psycopg.OperationalError as error:
            if time.monotonic() + delay > deadline:
                raise
            _log.debug("database not there yet", extra={"fields": {"cause": str(error).strip()}})
        time.sleep(delay)
        delay = min(delay * 2, LAST_RETRY_SECONDS)
