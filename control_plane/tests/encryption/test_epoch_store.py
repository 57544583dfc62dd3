"""Epochs in a real Postgres: one insert each, one of two at once, and nothing stored under an old one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import psycopg
import pytest
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row

from gpuaas.encryption import escrow, store, tenant
from gpuaas.encryption.epoch import Chain
from gpuaas.encryption.escrow import Escrowed
from gpuaas.encryption.refusal import Reason, RefusedError
from support.envelopes import BINDING, ENVIRONMENT, PROJECT, World
from support.processes import Server
from support.wrapping import Wrapping

type Connection = AsyncConnection[DictRow]
type During = Callable[[Callable[[Connection, Connection], Awaitable[None]]], None]


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.fixture
def during(postgres: Server, database: psycopg.Connection) -> During:
    """Run something with two connections as the API has them."""

    async def connect() -> Connection:
        return await AsyncConnection[DictRow].connect(
            host=postgres.host,
            port=postgres.port,
            dbname=database.info.dbname,
            user="gpuaas",
            password=postgres.password,
            row_factory=dict_row,
        )

    async def main(what: Callable[[Connection, Connection], Awaitable[None]]) -> None:
        async with await connect() as one, await connect() as other:
            await what(one, other)

    return lambda what: asyncio.run(main(what))


async def _append(connection: Connection, record: str) -> Chain:
    return await store.append(connection, ENVIRONMENT, PROJECT, record)


def test_records_come_back_in_their_order(during: During, world: World) -> None:
    async def what(one: Connection, _other: Connection) -> None:
        for record in world.records():
            await _append(one, record)
        assert await store.records(one, PROJECT) == list(world.records())
        assert await store.records(one, "borealis") == []

    during(what)


def test_of_two_rotations_at_once_one_is_told_that_another_was_first(during: During, world: World) -> None:
    """The second waits for the first, then does not follow on what is there."""
    records = [
        world.first.rotated(world.alice, [world.alice.public], None, world.held).current.record for _two in range(2)
    ]

    async def what(one: Connection, other: Connection) -> None:
        await _append(one, world.records()[0])
        await one.commit()
        done = await asyncio.gather(
            *(_committed(each, record) for each, record in zip((one, other), records, strict=True)),
            return_exceptions=True,
        )
        (refused,) = [each for each in done if isinstance(each, RefusedError)]
        assert refused.reason is Reason.EPOCH_CONFLICT
        assert len(await store.records(one, PROJECT)) == 2

    async def _committed(connection: Connection, record: str) -> None:
        await _append(connection, record)
        await connection.commit()

    during(what)


def test_the_database_itself_has_one_record_of_a_number(database: psycopg.Connection, world: World) -> None:
    insert = "INSERT INTO epochs (project, number, record) VALUES ('atlas', 1, 'x')"
    database.execute(insert)
    with pytest.raises(psycopg.errors.UniqueViolation):
        database.execute(insert)


@pytest.mark.parametrize("statement", ["UPDATE epochs SET record = 'y'", "DELETE FROM epochs"])
def test_the_api_neither_changes_nor_removes_a_record(during: During, world: World, statement: str) -> None:
    async def what(one: Connection, _other: Connection) -> None:
        await _append(one, world.records()[0])
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await one.execute(statement)

    during(what)


def test_a_rotation_that_is_interrupted_did_not_happen(during: During, world: World) -> None:
    """Whoever rotates goes away with the record written and the transaction open: there is no other write to be cut off at."""

    async def what(one: Connection, other: Connection) -> None:
        await _append(other, world.records()[0])
        await other.commit()
        await one.execute("BEGIN")
        await _append(one, world.records()[1])
        await one.close()
        assert await store.records(other, PROJECT) == [world.records()[0]]
        await _append(other, world.records()[1])
        assert await store.records(other, PROJECT) == list(world.records())

    during(what)


def test_a_record_that_does_not_belong_there_is_not_stored(during: During, world: World) -> None:
    theirs = Chain.begin(world.mallory, PROJECT)

    async def what(one: Connection, _other: Connection) -> None:
        await _append(one, world.records()[0])
        with pytest.raises(RefusedError) as refused:
            await _append(one, theirs.current.record)
        assert refused.value.reason is Reason.EPOCH_CONFLICT
        with pytest.raises(RefusedError) as refused:
            await _append(one, world.envelope)
        assert refused.value.reason is Reason.EPOCH_VERSION
        assert await store.records(one, PROJECT) == [world.records()[0]]

    during(what)


def test_an_envelope_is_accepted_under_the_newest_epoch_alone(during: During, world: World) -> None:
    expected = tenant.Expected(BINDING)
    old = world.seal(under=1)

    async def what(one: Connection, _other: Connection) -> None:
        with pytest.raises(RefusedError) as refused:
            await store.accept(one, old, expected)
        assert refused.value.reason is Reason.ENVELOPE_EPOCH_UNKNOWN
        await _append(one, world.records()[0])
        assert (await store.accept(one, old, expected)).epoch.number == 1
        await _append(one, world.records()[1])
        with pytest.raises(RefusedError) as refused:
            await store.accept(one, old, expected)
        assert refused.value.reason is Reason.ENVELOPE_EPOCH_STALE
        assert (await store.accept(one, world.envelope, expected)).author == world.alice.kid

    during(what)


def test_no_epoch_begins_between_the_check_and_the_write(during: During, world: World) -> None:
    """A rotation waits until what was checked under the old epoch is stored."""

    async def what(one: Connection, other: Connection) -> None:
        await _append(one, world.records()[0])
        await one.commit()
        await store.accept(one, world.seal(under=1), tenant.Expected(BINDING))
        await other.execute("SET lock_timeout = '100ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            await _append(other, world.records()[1])
        await other.rollback()
        await one.commit()
        assert len((await _append(other, world.records()[1])).epochs) == 2

    during(what)


def test_who_registers_a_second_time_loses_no_key_in_escrow(during: During, world: World) -> None:
    """Without one, or with another text: what is there is the only one that is known to be good."""

    async def what(one: Connection, _other: Connection) -> None:
        for escrowed in (None, "the first", None, "another"):
            await store.add_member(one, PROJECT, world.alice.public, escrowed)
        assert await store.escrowed(one, PROJECT) == [(world.alice.kid, "the first")]

    during(what)


def test_keys_in_escrow_open_for_their_member_and_project_alone(during: During, world: World) -> None:
    root = Wrapping()
    held = Escrowed(world.alice, world.first.current.pin)
    sealed = escrow.seal(held, PROJECT, root)

    async def what(one: Connection, _other: Connection) -> None:
        await store.add_member(one, PROJECT, world.alice.public, sealed)
        await store.add_member(one, PROJECT, world.bob.public)
        assert await store.escrowed(one, PROJECT) == [(world.alice.kid, sealed)]

    during(what)
    opened = escrow.open_sealed(sealed, ENVIRONMENT, PROJECT, world.alice.kid, root)
    assert (opened.key.kid, opened.pin) == (held.key.kid, held.pin)
    for environment, project, kid in (
        ("staging", PROJECT, world.alice.kid),
        (ENVIRONMENT, "borealis", world.alice.kid),
        (ENVIRONMENT, PROJECT, world.bob.kid),
    ):
        with pytest.raises(RefusedError) as refused:
            escrow.open_sealed(sealed, environment, project, kid, root)
        assert refused.value.reason is Reason.PLATFORM_DATA_CONTEXT
