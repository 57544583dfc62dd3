"""What is done in the transaction of a change is done once."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable

import psycopg
import pytest

from gpuaas import database as connections
from gpuaas.database import Pool
from gpuaas.effects import emit_once, once
from gpuaas.settings import MigrateSettings, read_settings
from support.processes import Server
from support.streaming import event


@pytest.fixture
def pool(environment: dict[str, str], postgres: Server, database: psycopg.Connection) -> Callable[[], Pool]:
    settings = read_settings(MigrateSettings, environment)
    return lambda: connections.create_pool(settings, postgres.password, size=3)


@pytest.fixture
def instance(database: psycopg.Connection) -> uuid.UUID:
    identity = uuid.uuid4()
    database.execute(
        "INSERT INTO instances (id, project, name, gpu_type, gpu_count, state, created_by, created_at)"
        " VALUES (%s, 'atlas', 'one', 'H100', 1, 'requested', 'alice', now())",
        [identity],
    )
    return identity


def test_an_event_is_handled_for_the_first_time_once_by_each_consumer(pool: Callable[[], Pool]) -> None:
    it = event(uuid.uuid4())

    async def run() -> list[bool]:
        async with pool() as its:

            async def handle(consumer: str) -> bool:
                async with its.connection() as connection:
                    return await once(connection, consumer, it)

            first = await asyncio.gather(handle("a"), handle("a"), handle("b"))
            return [*sorted(first), await handle("a")]

    assert asyncio.run(run()) == [False, True, True, False]


def test_what_was_taken_back_was_not_handled(pool: Callable[[], Pool]) -> None:
    it = event(uuid.uuid4())

    async def run() -> bool:
        async with pool() as its:
            async with its.connection() as connection, connection.transaction(force_rollback=True):
                assert await once(connection, "a", it)
            async with its.connection() as connection:
                return await once(connection, "a", it)

    assert asyncio.run(run())


def test_an_effect_is_told_once(pool: Callable[[], Pool], instance: uuid.UUID, database: psycopg.Connection) -> None:
    async def run() -> list[bool]:
        async with pool() as its:

            async def tell(key: str) -> bool:
                async with its.connection() as connection:
                    return await emit_once(connection, key, "instance.started", instance, {"actor": "provisioning"})

            return [*sorted(await asyncio.gather(tell("one"), tell("one"))), await tell("two"), await tell("one")]

    assert asyncio.run(run()) == [False, True, True, False]
    rows = database.execute("SELECT effect_key, event_type, payload FROM outbox ORDER BY id").fetchall()
    assert rows == [(key, "instance.started", {"actor": "provisioning"}) for key in ("one", "two")]


def test_the_events_of_an_instance_get_their_ids_in_the_order_of_commits(
    pool: Callable[[], Pool], instance: uuid.UUID, database: psycopg.Connection
) -> None:
    async def run() -> None:
        async with pool() as its:

            async def tell() -> None:
                async with its.connection() as connection:
                    await emit_once(connection, "late", "instance.started", instance, {})

            async with its.connection() as holder:
                await holder.execute("UPDATE instances SET gpu_count = 2 WHERE id = %s", [instance])
                late = asyncio.create_task(tell())
                async with its.connection() as looking:
                    waits = "SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
                    async with asyncio.timeout(10):
                        while not (await (await looking.execute(waits)).fetchone() or {})["n"]:
                            await looking.rollback()
                            await asyncio.sleep(0.01)
                await emit_once(holder, "early", "instance.resized", instance, {})
            await late

    asyncio.run(run())
    assert database.execute("SELECT effect_key FROM outbox ORDER BY id").fetchall() == [("early",), ("late",)]
