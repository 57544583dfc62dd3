"""Migrations: once, all or nothing, one at a time, and patient with a database that is not there yet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import psycopg
import pytest

from gpuaas import migrate
from gpuaas.migrate import Migration, MigrationError
from gpuaas.settings import MigrateSecrets, MigrateSettings
from support import processes
from support.ports import free_port
from support.processes import Server, wait_for


@pytest.fixture
def settings(migrate_settings: MigrateSettings, postgres: Server) -> Iterator[MigrateSettings]:
    """An own, empty database."""
    with processes.connect(postgres, "postgres", "postgres") as admin:
        admin.execute("CREATE DATABASE migrations OWNER gpuaas_owner")
        yield replace(migrate_settings, database_name="migrations")
        admin.execute("DROP DATABASE migrations WITH (FORCE)")


def connect(settings: MigrateSettings, secrets: MigrateSecrets) -> psycopg.Connection:
    return psycopg.connect(
        host=settings.database_host,
        port=settings.database_port,
        user=settings.database_user,
        password=secrets.database_password,
        dbname=settings.database_name,
        autocommit=True,
    )


def version(settings: MigrateSettings, secrets: MigrateSecrets) -> int:
    with connect(settings, secrets) as connection:
        row = connection.execute("SELECT max(version) FROM schema_version").fetchone()
    return int(row[0]) if row else 0


def test_from_nothing_and_again(
    settings: MigrateSettings, migrate_secrets: MigrateSecrets, capsys: pytest.CaptureFixture[str]
) -> None:
    assert migrate.run(settings, migrate_secrets) == 0
    assert version(settings, migrate_secrets) == migrate.expected_version()
    assert migrate.run(settings, migrate_secrets) == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["from"] == last["to"] == migrate.expected_version()


def test_concurrent_runs(settings: MigrateSettings, migrate_secrets: MigrateSecrets) -> None:
    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(lambda _: migrate.run(settings, migrate_secrets), range(4)))
    assert results == [0, 0, 0, 0]


def test_a_failed_migration_leaves_nothing(settings: MigrateSettings, migrate_secrets: MigrateSecrets) -> None:
    good = Migration(1, "0001_good.sql", b"CREATE TABLE good ()")
    bad = Migration(2, "0002_bad.sql", b"CREATE TABLE half (); SELECT 1/0")
    with connect(settings, migrate_secrets) as connection:
        with pytest.raises(psycopg.errors.DivisionByZero):
            migrate.apply(connection, [good, bad])
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").fetchall()
        assert [name for (name,) in tables] == ["good", "schema_version"]
        assert migrate.apply(connection, [good, replace(bad, sql=b"CREATE TABLE half ()")]) == (1, 2)


def test_an_applied_file_may_not_change(
    settings: MigrateSettings, migrate_secrets: MigrateSecrets, capsys: pytest.CaptureFixture[str]
) -> None:
    with connect(settings, migrate_secrets) as connection:
        migrate.apply(connection, [replace(migrate.load()[0], sql=b"SELECT 1")])
    assert migrate.run(settings, migrate_secrets) == 1
    assert "differs from what was applied" in capsys.readouterr().out


def test_an_old_image_does_not_touch_a_newer_database(
    settings: MigrateSettings, migrate_secrets: MigrateSecrets
) -> None:
    extra = Migration(migrate.expected_version() + 1, "later.sql", b"SELECT 1")
    with connect(settings, migrate_secrets) as connection:
        migrate.apply(connection, [*migrate.load(), extra])
        with pytest.raises(MigrationError, match="image too old"):
            migrate.apply(connection, migrate.load())


def test_it_waits_for_the_database(migrate_settings: MigrateSettings) -> None:
    """The job starts first; the server comes while it retries."""
    with ThreadPoolExecutor(1) as thread, processes.postgres() as server:
        settings = replace(migrate_settings, database_port=server.port)
        with connect(
            replace(settings, database_name="postgres", database_user="postgres"),
            MigrateSecrets(database_password=server.password),
        ) as admin:
            admin.execute("ALTER DATABASE gpuaas RENAME TO not_yet")
            running = thread.submit(migrate.run, settings, MigrateSecrets(database_password=server.password))
            with pytest.raises(TimeoutError):
                running.result(timeout=0.3)
            admin.execute("ALTER DATABASE not_yet RENAME TO gpuaas")
        assert running.result() == 0


def test_it_gives_up(
    migrate_settings: MigrateSettings, migrate_secrets: MigrateSecrets, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = replace(migrate_settings, database_port=free_port())
    assert migrate.run(settings, migrate_secrets, deadline_seconds=0.2) == migrate.EX_UNAVAILABLE
    said = capsys.readouterr().out
    assert json.loads(said.splitlines()[-1])["message"] == "database is not reachable"
    assert migrate_secrets.database_password not in said


def test_it_does_not_make_everybody_wait_for_a_lock(
    settings: MigrateSettings, migrate_secrets: MigrateSecrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody reads for long: the migration lets others read meanwhile, and is made when they have ended."""
    monkeypatch.setattr(migrate, "LOCK_TIMEOUT_MS", 100)
    first = Migration(1, "0001_first.sql", b"CREATE TABLE busy ()")
    second = Migration(2, "0002_second.sql", b"ALTER TABLE busy ADD COLUMN more integer")
    with (
        connect(settings, migrate_secrets) as migrating,
        connect(settings, migrate_secrets) as reading,
        connect(settings, migrate_secrets) as other,
        ThreadPoolExecutor(1) as thread,
    ):
        migrate.apply(migrating, [first])
        with reading.transaction():
            reading.execute("SELECT FROM busy")
            running = thread.submit(migrate.apply, migrating, [first, second])
            wait_for(lambda: waits(other), "the migration")
            # It would be behind the migration until the reader had ended.
            other.execute("SET statement_timeout = 5000")
            other.execute("SELECT FROM busy")
            assert not running.done()
        assert running.result() == (1, 2)


def test_it_does_not_wait_for_a_lock_for_ever(
    settings: MigrateSettings, migrate_secrets: MigrateSecrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "LOCK_TIMEOUT_MS", 10)
    monkeypatch.setattr(migrate, "LAST_RETRY_SECONDS", 0.01)
    first = Migration(1, "0001_first.sql", b"CREATE TABLE busy ()")
    with connect(settings, migrate_secrets) as migrating, connect(settings, migrate_secrets) as reading:
        migrate.apply(migrating, [first])
        second = Migration(2, "0002_second.sql", b"DROP TABLE busy")
        with reading.transaction():
            reading.execute("SELECT FROM busy")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                migrate.apply(migrating, [first, second])
        assert version(settings, migrate_secrets) == 1


def waits(connection: psycopg.Connection) -> bool:
    """Whether somebody waits for a lock."""
    return connection.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone() != (0,)
