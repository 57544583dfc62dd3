"""What expires, what stays, and how much goes at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest

from gpuaas import database as connections
from gpuaas import seed
from gpuaas.api import expiry
from gpuaas.messaging import streams
from gpuaas.settings import ApiSecrets, ApiSettings, read_settings
from support.issuer import Issuer
from support.processes import Server, wait_for

BODY = {"name": "training-1", "gpu_type": "H100", "gpu_count": 4}


@pytest.fixture
def expire(environment: dict[str, str], postgres: Server) -> Callable[[], dict[str, int]]:
    """Let things expire once."""

    async def once() -> dict[str, int]:
        settings = read_settings(ApiSettings, environment)
        async with connections.create_pool(settings, postgres.password, size=1) as pool:
            return await expiry.once(pool)

    return lambda: asyncio.run(once())


def create(api: httpx.Client, issuer: Issuer, key: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {issuer.token()}", "Idempotency-Key": key}
    return api.post("/v1/instances", json=BODY, headers=headers)


def delete(api: httpx.Client, issuer: Issuer, created: httpx.Response) -> None:
    headers = {"Authorization": f"Bearer {issuer.token()}"}
    assert api.delete(created.headers["Location"], headers=headers).status_code == 204


def aged(database: psycopg.Connection, table: str, column: str, age: str) -> None:
    database.execute(f"UPDATE {table} SET {column} = now() - interval '{age}'")


def gone(**tables: int) -> dict[str, int]:
    return {**dict.fromkeys(expiry.STATEMENTS, 0), **tables}


def counts(database: psycopg.Connection) -> tuple[Any, ...]:
    row = database.execute(
        "SELECT (SELECT count(*) FROM idempotency_keys), (SELECT count(*) FROM outbox), (SELECT count(*) FROM instances)"
    ).fetchone()
    assert row is not None
    return row


def test_a_key_expires_and_what_it_made_stays(
    api: httpx.Client, issuer: Issuer, database: psycopg.Connection, expire: Callable[[], dict[str, int]]
) -> None:
    create(api, issuer, "one")
    aged(database, "idempotency_keys", "created_at", "47 hours")
    assert expire() == gone()
    assert create(api, issuer, "one").status_code == 200
    aged(database, "idempotency_keys", "created_at", "49 hours")
    assert expire() == gone(idempotency_keys=1)
    assert create(api, issuer, "one").status_code == 201
    assert counts(database) == (1, 2, 2)


def test_an_event_expires_once_it_was_published(
    api: httpx.Client, issuer: Issuer, database: psycopg.Connection, expire: Callable[[], dict[str, int]]
) -> None:
    create(api, issuer, "one")
    aged(database, "outbox", "created_at", "1 year")
    assert expire()["outbox"] == 0
    # For longer than the stream keeps it.
    assert streams.INSTANCES.max_age == timedelta(days=7).total_seconds()
    aged(database, "outbox", "published_at", "191 hours")
    assert expire()["outbox"] == 0
    aged(database, "outbox", "published_at", "193 hours")
    assert expire()["outbox"] == 1


def test_an_event_that_is_not_in_the_journal_stays_where_there_is_one(
    api: httpx.Client, issuer: Issuer, database: psycopg.Connection, expire: Callable[[], dict[str, int]]
) -> None:
    create(api, issuer, "one")
    create(api, issuer, "two")
    aged(database, "outbox", "published_at", "1 year")
    database.execute(
        "INSERT INTO journal_heads (project, number, digest) SELECT 'p', 0, decode(repeat('00', 32), 'hex')"
    )
    assert expire()["outbox"] == 0
    database.execute(
        "UPDATE outbox SET journal_number = 1, journal_previous = decode(repeat('00', 32), 'hex')"
        " WHERE id = (SELECT min(id) FROM outbox)"
    )
    assert expire()["outbox"] == 1
    # Nobody writes a journal: what was published is enough.
    database.execute("DELETE FROM journal_heads")
    assert expire()["outbox"] == 1


def test_what_was_handled_is_known_for_as_long_as_its_event_may_come_again(
    api: httpx.Client, issuer: Issuer, database: psycopg.Connection, expire: Callable[[], dict[str, int]]
) -> None:
    create(api, issuer, "one")
    database.execute("INSERT INTO processed_events (consumer, event_id) SELECT 'a', event_id FROM outbox")
    database.execute("INSERT INTO processed_events (consumer, event_id) VALUES ('a', gen_random_uuid())")
    aged(database, "processed_events", "processed_at", "215 hours")
    assert expire()["processed_events"] == 0
    aged(database, "processed_events", "processed_at", "217 hours")
    # A stream that is filled again has what is in the outbox, however long ago it was handled.
    assert expire()["processed_events"] == 1
    aged(database, "outbox", "published_at", "193 hours")
    assert expire() == gone(outbox=1, processed_events=1)


def test_a_deleted_instance_goes_when_nothing_speaks_of_it(
    api: httpx.Client, issuer: Issuer, database: psycopg.Connection, expire: Callable[[], dict[str, int]]
) -> None:
    delete(api, issuer, create(api, issuer, "one"))
    create(api, issuer, "two")
    aged(database, "idempotency_keys", "created_at", "1 year")
    database.execute("UPDATE instances SET deleted_at = now() - interval '1 year' WHERE deleted_at IS NOT NULL")
    # Its events were not published: nothing that was acknowledged is lost.
    assert expire() == gone(idempotency_keys=2)
    aged(database, "outbox", "published_at", "1 year")
    database.execute("UPDATE instances SET deleted_at = now() - interval '29 days' WHERE deleted_at IS NOT NULL")
    assert expire() == gone(outbox=3)
    database.execute("UPDATE instances SET deleted_at = now() - interval '31 days' WHERE deleted_at IS NOT NULL")
    assert expire() == gone(instances=1)
    assert counts(database) == (0, 0, 1)


def test_so_much_at_once(
    database: psycopg.Connection, expire: Callable[[], dict[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(expiry, "BATCH", 10)
    monkeypatch.setattr(expiry, "MAX_BATCHES", 3)
    database.execute(
        "WITH made AS (INSERT INTO instances SELECT gen_random_uuid(), 'a', 'a', 'H100', 1, 'requested', 'a', now()"
        " FROM generate_series(1, 45) RETURNING id)"
        " INSERT INTO idempotency_keys SELECT 'a', id::text, '', id, '', now() - interval '1 year' FROM made"
    )
    assert [expire()["idempotency_keys"] for _round in range(3)] == [30, 15, 0]


def test_one_process_at_a_time(
    api: httpx.Client, issuer: Issuer, database: psycopg.Connection, expire: Callable[[], dict[str, int]]
) -> None:
    create(api, issuer, "one")
    aged(database, "idempotency_keys", "created_at", "1 year")
    with database.transaction():
        database.execute("SELECT pg_advisory_xact_lock(%s)", [expiry.LOCK])
        assert expire()["idempotency_keys"] == 0
    assert expire()["idempotency_keys"] == 1


def test_the_api_does_it(
    start_api: Callable[..., httpx.Client],
    issuer: Issuer,
    database: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(expiry, "EVERY_SECONDS", 0.05)
    create(start_api(), issuer, "one")
    aged(database, "idempotency_keys", "created_at", "1 year")
    wait_for(lambda: counts(database)[0] == 0, "expiry", 10)


def test_demo_data_whose_keys_expired_are_there_once(
    environment: dict[str, str],
    postgres: Server,
    valkey: Server,
    database: psycopg.Connection,
    expire: Callable[[], dict[str, int]],
) -> None:
    settings = read_settings(ApiSettings, environment)
    secrets = ApiSecrets(database_password=postgres.password, redis_password=valkey.password)
    assert seed.run(settings, secrets) == 0
    before = counts(database)
    aged(database, "idempotency_keys", "created_at", "1 year")
    expire()
    assert seed.run(settings, secrets) == 0
    assert counts(database) == (0, *before[1:])


def test_the_report_of_a_worker_that_is_no_more_expires(
    database: psycopg.Connection, expire: Callable[[], dict[str, int]]
) -> None:
    database.execute("INSERT INTO reports (about, content) VALUES ('worker', '{}'), ('fleet', '{}')")
    aged(database, "reports", "reported_at", "29 days")
    assert expire() == gone()
    database.execute("UPDATE reports SET reported_at = now() - interval '31 days' WHERE about = 'fleet'")
    assert expire() == gone(reports=1)
    assert database.execute("SELECT about FROM reports").fetchall() == [("worker",)]
