"""Workers say what they do, in the database and with their own rights; nothing that goes wrong with it stops them."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from gpuaas import database as databases
from gpuaas.messaging.connection import Messaging
from gpuaas.notification.process import create_worker as create_notification
from gpuaas.relay import streams as observed
from gpuaas.relay.process import create_worker as create_relay
from gpuaas.reporting import reporter
from gpuaas.reporting.documents import FLEET, STREAMS, WORKER, Streams
from gpuaas.reporting.reporter import Reporter, of_worker
from gpuaas.reporting.tally import Tally
from gpuaas.settings import WorkerSecrets, WorkerSettings, read_settings
from gpuaas.worker import Worker
from support import processes, reports
from support.nats import Nats
from support.processes import Server
from support.streaming import connected, event, made, publish, stored, until
from test_relay import instance, write

type Made = Callable[[str, Callable[..., Worker]], Worker]
type Told = Callable[[str, str], dict[str, Any] | None]


@pytest.fixture(autouse=True)
def reports_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporter, "EVERY_SECONDS", 0.05)


@pytest.fixture
def worker(worker_environment: Callable[[str], dict[str, str]], postgres: Server, database: psycopg.Connection) -> Made:
    """The worker of a component, with its own role."""

    def made_of(component: str, create: Callable[..., Worker]) -> Worker:
        role = {"outbox-relay": "gpuaas_relay", "notification": "gpuaas_notification"}[component]
        environment = {**worker_environment(component), "GPUAAS_PROBE_PORT": "9", "GPUAAS_DATABASE_USER": role}
        settings = read_settings(WorkerSettings, environment)
        return create(settings, WorkerSecrets(database_password=postgres.password))

    return made_of


@pytest.fixture
def told(database: psycopg.Connection) -> Told:
    """What a role last said, or None."""

    def read(role: str, about: str) -> dict[str, Any] | None:
        row = database.execute("SELECT content FROM reports WHERE (role, about) = (%s, %s)", [role, about]).fetchone()
        return dict(row[0]) if row else None

    return read


@asynccontextmanager
async def at_work(worker: Worker) -> Any:
    task = asyncio.ensure_future(worker.work())
    try:
        yield
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def test_the_relay_tells_of_itself_and_of_the_streams(
    worker: Made, told: Told, messaging: Callable[[str], Messaging], database: psycopg.Connection, server: Nats
) -> None:
    one = instance(database)
    write(database, one)

    def published() -> bool:
        said = told("gpuaas_relay", WORKER)
        return bool(said and said["done"][0]["count"] == 1 and not said["missing"])

    def age(about: str) -> float:
        row = database.execute(
            "SELECT extract(epoch FROM reported_at)::float FROM reports WHERE about = %s", [about]
        ).fetchone()
        return float(row[0]) if row else 0.0

    async def run() -> None:
        async with at_work(worker("outbox-relay", create_relay)):
            await until(published, "the relay's report")
            await until(lambda: bool((told("gpuaas_relay", STREAMS) or {}).get("items")), "that of the streams")
            server.kill()
            await until(
                lambda: "nats" in (told("gpuaas_relay", WORKER) or {})["missing"], "a report of what is missing"
            )
            # What cannot be looked at grows old, while the worker is heard of.
            last = age(WORKER)
            await until(lambda: age(WORKER) > last, "another report")
            assert age(STREAMS) < last

    asyncio.run(run())
    said = told("gpuaas_relay", WORKER)
    assert said is not None
    assert said["name"] == "outbox-relay"
    assert said["done"][0]["last"] == f"instances.{one}.requested"
    streams = told("gpuaas_relay", STREAMS)
    assert streams is not None
    assert {its["name"]: its["messages"] for its in streams["items"]} == {"instances": 1, "deadletters": 0}
    assert streams["differ"] == []


def test_a_consumer_tells_what_it_did_and_gave_up(
    worker: Made, told: Told, messaging: Callable[[str], Messaging], database: psycopg.Connection
) -> None:
    one = instance(database)

    async def run() -> None:
        async with connected(messaging("observer")) as observer:
            await made(observer)
            await publish(observer, event(one, actor="alice"))
            await observer.jetstream().publish(f"instances.{one}.requested", b"{", headers={"Nats-Msg-Id": "bad"})

            def done() -> bool:
                said = told("gpuaas_notification", WORKER)
                return bool(said and [its["count"] for its in said["done"]] == [1, 1] and said["lag"])

            async with at_work(worker("notification", create_notification)):
                await until(done, "the report of the consumer")
                async with at_work(worker("outbox-relay", create_relay)):
                    await until(lambda: bool(letters()["total"]), "the report of the dead letters")

    def letters() -> dict[str, Any]:
        return told("gpuaas_relay", "deadletters") or {"total": 0}

    asyncio.run(run())
    said = told("gpuaas_notification", WORKER)
    assert said is not None
    assert [its["what"] for its in said["done"]] == ["events handled", "events given up"]
    assert said["lag"] == {"waiting": 0, "held": 0}
    [letter] = letters()["items"]
    assert (letter["consumer"], letter["reason"], letter["instance"]) == ("notification", "header_missing", str(one))
    assert letter["given_up_at"]


def test_of_many_dead_letters_the_first_are_told(
    messaging: Callable[[str], Messaging], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observed, "MAX_LETTERS", 2)
    own = {"Gpuaas-Consumer": "notification", "Gpuaas-Reason": "r", "Gpuaas-Detail": "-", "Gpuaas-Subject": "s"}
    headers = {**own, "Gpuaas-Attempts": "1", "Gpuaas-Sequence": "1"}

    async def run() -> None:
        async with connected(messaging("observer")) as observer, connected(messaging("outbox-relay")) as relay:
            looking = observed.Observer(relay)
            assert (await looking.dead_letters()).total == 0
            await made(observer)
            assert (await looking.dead_letters()).total == 0
            for _n in range(3):
                await observer.jetstream().publish(f"deadletters.notification.{uuid.uuid4()}", b"", headers=headers)
            told = await looking.dead_letters()
            assert (told.total, [its.id for its in told.items]) == (3, [1, 2])
            await observer.jetstream().delete_msg("deadletters", 1)
            told = await looking.dead_letters()
            assert (told.total, [its.id for its in told.items]) == (2, [2, 3])
            assert len(await stored(observer, "instances")) == 0

    asyncio.run(run())


def test_what_goes_wrong_stops_neither_the_work_nor_other_reports(
    postgres: Server, environment: dict[str, str], told: Told, database: psycopg.Connection
) -> None:
    async def broken() -> Streams:
        raise ZeroDivisionError

    async def run() -> None:
        settings = read_settings(WorkerSettings, {**environment, **NATS, "GPUAAS_DATABASE_USER": "gpuaas_relay"})
        pool = databases.create_pool(settings, postgres.password, size=1)
        tally = Tally("things")
        its = Reporter(pool, of_worker("relay", {}, [tally]), {STREAMS: broken})
        async with pool, its.beside():
            await until(lambda: told("gpuaas_relay", WORKER) is not None, "a report")
            tally.add("one", 3)
            await until(lambda: (told("gpuaas_relay", WORKER) or {})["done"][0]["count"] == 3, "the next one")
            database.execute("ALTER TABLE reports RENAME TO away")
            try:
                with pytest.raises(psycopg.Error):
                    await its.once(WORKER)
            finally:
                database.execute("ALTER TABLE away RENAME TO reports")
            tally.add("two")
            await until(lambda: (told("gpuaas_relay", WORKER) or {})["done"][0]["last"] == "two", "one after that")
        assert told("gpuaas_relay", STREAMS) is None

    asyncio.run(run())


NATS = {
    "GPUAAS_NATS_HOST": "127.0.0.1",
    "GPUAAS_NATS_PORT": "4222",
    "GPUAAS_NATS_CERTIFICATE": "/run/certificates",
}


@pytest.mark.parametrize("role", ["gpuaas_relay", "gpuaas_notification", "gpuaas_provisioning"])
def test_nobody_speaks_for_another(postgres: Server, database: psycopg.Connection, role: str) -> None:
    say = reports.sayer(postgres, database)
    others = "gpuaas_provisioning" if role != "gpuaas_provisioning" else "gpuaas_relay"
    say(others, FLEET, reports.fleet(free=5))
    say(role, WORKER, reports.worker("its own"))
    with processes.connect(postgres, role) as its:
        with pytest.raises(InsufficientPrivilege, match="row-level security"):
            its.execute("INSERT INTO reports (role, about, content) VALUES (%s, 'worker', '{}')", [others])
        with pytest.raises(InsufficientPrivilege):
            its.execute("UPDATE reports SET role = %s", [others])
        with pytest.raises(InsufficientPrivilege):
            its.execute("DELETE FROM reports")
        # Of others' rows none is among those that it may change.
        assert its.execute("UPDATE reports SET content = '{}'").rowcount == 1
    [kept] = database.execute("SELECT content FROM reports WHERE role = %s", [others]).fetchall()
    assert json.dumps(kept[0]) != "{}"
